/**
 * Messages a second through a daemon in a process of its own, and its CPU a message, beside a raw echo
 * over a unix socket in the same run. `npm run -s build && npx tsx bench/daemon.ts [messages] [window]`.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEndpoint } from '../src/afd/endpoint.ts';
import { encodeEnvelope, newEnvelope } from '../src/protocol/envelope.ts';
import { FrameDecoder } from '../src/protocol/frame.ts';

const [messages = 100_000, window = 256] = process.argv.slice(2).map(Number);
const body = 'x'.repeat(200);
/** Clock ticks of /proc/<pid>/stat a second: USER_HZ, 100 on every Linux that matters. */
const TICKS = 100;

function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS;
}

async function startDaemon(state: string): Promise<{ child: ChildProcess; path: string }> {
  const env = { ...process.env, XDG_STATE_HOME: state };
  const child = spawn(process.execPath, ['bin/agent-wrap.js', 'daemon'], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(child.stdout as NodeJS.ReadableStream, 'data');
  return { child, path: parseEndpoint(String(line).trim().split(' ').at(-1) as string) };
}

/** A client that does no more than it must: no validation, no queue. */
async function client(path: string, agent: string, each: (text: string) => void) {
  const socket = connect(path);
  const decoder = new FrameDecoder();
  await once(socket, 'connect');
  socket.write(
    encodeEnvelope(newEnvelope('HELLO', { agent, capabilities: { max_inflight: 1024 } }, Date.now())),
  );
  const welcomed = once(socket, 'data');
  await welcomed;
  socket.on('data', (bytes) => {
    socket.cork();
    for (const frame of decoder.push(bytes)) each(frame.toString('latin1'));
    socket.uncork();
  });
  return socket;
}

async function relay(): Promise<void> {
  const state = mkdtempSync(join(tmpdir(), 'agent-wrap-bench-'));
  const { child, path } = await startDaemon(state);
  try {
    let done: () => void = () => {};
    const finished = new Promise<void>((resolve) => {
      done = resolve;
    });
    const latencies: number[] = [];
    const sentAt = new Map<string, number>();
    let sent = 0;
    let ended = 0;
    const bob = await client(path, 'bob', (text) => {
      if (!text.startsWith('{"v":1,"type":"DELIVER"')) return;
      bob.write(encodeEnvelope(newEnvelope('ACK', { ack_id: text.slice(30, 66) }, 0)));
    });
    const ann = await client(path, 'ann', (text) => {
      const id = /"ack_id":"([^"]+)"/.exec(text)?.[1];
      const at = id === undefined ? undefined : sentAt.get(id);
      if (at === undefined) return;
      latencies.push(performance.now() - at);
      sentAt.delete(id as string);
      if (++ended === messages) done();
      else if (sent < messages) push();
    });
    const push = () => {
      const send = newEnvelope('SEND', { kind: 'message', body }, 0, {
        to: 'bob',
        payload_meta: { requires_ack: true },
      });
      sentAt.set(send.id, performance.now());
      sent++;
      ann.write(encodeEnvelope(send as never));
    };
    const cpu = cpuMs(child.pid as number);
    const began = performance.now();
    for (let i = 0; i < Math.min(window, messages); i++) push();
    await finished;
    const seconds = (performance.now() - began) / 1000;
    const used = cpuMs(child.pid as number) - cpu;
    latencies.sort((a, b) => a - b);
    const at = (p: number) => (latencies[Math.floor(latencies.length * p)] as number).toFixed(2);
    console.log(
      `relay: ${messages} messages, window ${window}: ${Math.round(messages / seconds)}/s, ` +
        `daemon CPU ${((used * 1000) / messages).toFixed(1)} µs a message, ` +
        `SEND → delivered p50 ${at(0.5)} ms p99 ${at(0.99)} ms`,
    );
    ann.destroy();
    bob.destroy();
  } finally {
    child.kill('SIGTERM');
    await once(child, 'exit');
    rmSync(state, { recursive: true });
  }
}

/** The floor: bytes of the same length there and back, nothing in between. */
async function echo(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'agent-wrap-bench-'));
  const path = join(directory, 'echo.sock');
  const code = `require('net').createServer((s) => s.pipe(s)).listen(process.argv[1], () => console.log('up'))`;
  const child = spawn(process.execPath, ['-e', code, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  const socket = connect(path);
  await once(socket, 'connect');
  const message = Buffer.alloc(300);
  const began = performance.now();
  let received = 0;
  let sent = 0;
  await new Promise<void>((resolve) => {
    socket.on('data', (bytes) => {
      received += bytes.length;
      while (sent < messages && sent * 300 - received < window * 300) {
        socket.write(message);
        sent++;
      }
      if (received >= messages * 300) resolve();
    });
    for (; sent < Math.min(window, messages); sent++) socket.write(message);
  });
  console.log(`echo:  ${Math.round((messages * 1000) / (performance.now() - began))}/s`);
  socket.destroy();
  child.kill();
  await once(child, 'exit');
  rmSync(directory, { recursive: true });
}

await echo();
await relay();
