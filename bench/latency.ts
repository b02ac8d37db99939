/**
 * Message latency and throughput: client to client through the daemon (host apart, and host in the
 * receiver), agent to agent through two wrappers, beside a raw unix-socket echo in the same run.
 * `npx tsx bench/latency.ts [--messages N] [--burst N] [--agents N]`
 */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { OuterTerminal } from '../test/helpers/outer-terminal.ts';
import { median, printCells, quantile } from './table.ts';

const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '500' },
    burst: { type: 'string', default: '10000' },
    agents: { type: 'string', default: '20' },
  },
});
const MESSAGES = Number(values.messages);
const BURST = Number(values.burst);
const AGENT_MESSAGES = Number(values.agents);
const BYTES = 200;
const CLI = resolve(import.meta.dirname, '../bin/agent-wrap.js');
const home = mkdtempSync(join(tmpdir(), 'agent-wrap-bench-'));
const env = { ...process.env, XDG_STATE_HOME: home };
const nowUs = () => Number(process.hrtime.bigint() / 1000n);

class Peer {
  readonly #child: ChildProcess;
  role = '';
  constructor(name: string, mayLead: boolean) {
    this.#child = fork(join(import.meta.dirname, 'relay-peer.ts'), [name, String(mayLead)], {
      env,
      execArgv: ['--import', 'tsx'],
    });
  }
  answer<T extends object>(key: string): Promise<T> {
    return new Promise((resolve) => {
      const listen = (message: T) => {
        if (!(key in message)) return;
        this.#child.off('message', listen);
        resolve(message);
      };
      this.#child.on('message', listen);
    });
  }
  tell(order: object): void {
    this.#child.send(order);
  }
  async end(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.disconnect();
    await ended;
  }
}

async function transfer(from: Peer, to: Peer, name: string, count: number, gapMs: number) {
  const expecting = to.answer('expecting');
  to.tell({ do: 'expect', count });
  await expecting;
  const done = to.answer<{ latencies: number[]; us: number }>('done');
  from.tell({ do: 'send', to: name, count, gapMs, bytes: BYTES });
  return done;
}

async function rawEcho(): Promise<number[]> {
  const path = join(home, 'echo.sock');
  const server = spawn(process.execPath, [
    '-e',
    `require('net').createServer(s=>s.pipe(s)).listen(${JSON.stringify(path)},()=>console.log('up'))`,
  ]);
  await new Promise((resolve) => server.stdout.once('data', resolve));
  const socket = connect(path);
  await new Promise((resolve) => socket.once('connect', resolve));
  const times: number[] = [];
  for (let i = 0; i < MESSAGES; i++) {
    const start = nowUs();
    let seen = 0;
    const back = new Promise<void>((resolve) => {
      const listen = (data: Buffer) => {
        seen += data.length;
        if (seen < BYTES) return;
        socket.off('data', listen);
        resolve();
      };
      socket.on('data', listen);
    });
    socket.write(Buffer.alloc(BYTES, 'x'));
    await back;
    times.push((nowUs() - start) / 2);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  socket.destroy();
  server.kill();
  return times;
}

async function throughDaemon(
  placement: 'host apart' | 'host in the receiver',
): Promise<{ latencies: number[]; perSecond: number; lost: number }> {
  let daemon: ChildProcess | undefined;
  if (placement === 'host apart') {
    daemon = spawn(process.execPath, [CLI, 'daemon', '--namespace', 'bench'], { env });
    await new Promise((resolve) => daemon?.stdout?.once('data', resolve));
  }
  const to = new Peer('receiver', daemon === undefined);
  await to.answer('ready');
  const from = new Peer('sender', false);
  await from.answer('ready');
  await transfer(from, to, 'receiver', 50, 2);
  const { latencies } = await transfer(from, to, 'receiver', MESSAGES, 2);
  const burst = await transfer(from, to, 'receiver', BURST, 0);
  await from.end();
  await to.end();
  if (daemon !== undefined) {
    const ended = new Promise((resolve) => daemon?.once('exit', resolve));
    daemon.kill();
    await ended;
  }
  return {
    latencies,
    perSecond: (burst.latencies.length / burst.us) * 1e6,
    lost: BURST - burst.latencies.length,
  };
}

/** Agent prints → the other agent's stdin has the whole line: gate, paste, echo, 120 ms and submit key included. */
async function throughWrappers(): Promise<number[]> {
  const agent = resolve(import.meta.dirname, '../fixtures/agents/clock-agent.mjs');
  const wrap = (name: string) =>
    new OuterTerminal(
      [process.execPath, CLI, '--namespace', 'agents', '--name', name, process.execPath, agent],
      { env, cols: 200 },
    );
  const ada = wrap('ada');
  const bob = wrap('bob');
  await Promise.all([ada.see('ready'), bob.see('ready')]);
  const times: number[] = [];
  for (let i = 0; i < AGENT_MESSAGES; i++) {
    ada.write(`say ${i}\n`);
    const [, us] = (await bob.see(new RegExp(`message ${i} took (\\d+)`))) as RegExpMatchArray;
    times.push(Number(us));
  }
  await ada.dispose();
  await bob.dispose();
  return times;
}

try {
  const echo = await rawEcho();
  const apart = await throughDaemon('host apart');
  const inside = await throughDaemon('host in the receiver');
  const agents = await throughWrappers();
  const row = (what: string, us: number[], rate?: number) => [
    what,
    `${Math.round(median(us))}`,
    `${Math.round(quantile(us, 0.99))}`,
    `${(median(us) / median(echo)).toFixed(1)}`,
    rate === undefined ? '' : `${Math.round(rate)}`,
  ];
  printCells([
    ['one way, 200 bytes', 'p50 µs', 'p99 µs', '÷ raw echo', 'messages/s'],
    row('raw unix-socket echo ÷ 2', echo),
    row('client → daemon → client, host apart', apart.latencies, apart.perSecond),
    row('client → daemon → client, host in the receiver', inside.latencies, inside.perSecond),
    row('agent prints → other agent has read it', agents),
  ]);
  console.log(`${BURST} messages in one burst: ${apart.lost + inside.lost} lost`);
} finally {
  rmSync(home, { recursive: true, force: true });
}
