/**
 * A busy neighbour: messages between two agents while the agent of the wrapper that hosts the daemon floods
 * its terminal, and keys typed into that wrapper while others send each other messages. Beside it the same
 * with the daemon apart, where only the machine is shared, and each with a quiet baseline of the same run.
 * `npm run -s build && npx tsx bench/neighbour.ts [messages keys] [--rounds N] [--seconds N] [--keys N]`
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { COMMAND, OuterTerminal } from '../test/helpers/outer-terminal.ts';
import { bundlePeer, Peer } from './peer.ts';
import { median, printTable, quantile, type Row } from './table.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '4' },
    seconds: { type: 'string', default: '4' },
    keys: { type: 'string', default: '400' },
  },
});
const ROUNDS = Number(values.rounds);
const PHASE_MS = Number(values.seconds) * 1000;
const KEYS = Number(values.keys);
const BYTES = 200;
/** Messages a second between the two agents, beside the flood. */
const CALM = 200;
/** The same, beside the keys. */
const BUSY = 10_000;

const home = mkdtempSync(join(tmpdir(), 'agent-wrap-bench-'));

/** What the agent prints, as fast as it can: a few MB, again and again. */
const FLOODS: Record<string, string> = {
  '`yes`': 'y\n'.repeat(1_000_000),
  'coloured lines':
    '\x1b[1;32m+ added\x1b[0m line of \x1b[38;5;208mcoloured\x1b[0m text, as a diff has them 0123456789\n'.repeat(
      40_000,
    ),
  'a redrawn screen': Array.from(
    { length: 2_000 },
    (_, n) =>
      `\x1b[?2026h\x1b[H${Array.from({ length: 24 }, (_, row) => `\x1b[${row + 1};1H\x1b[38;5;${(n + row) % 256}mframe ${n} row ${row} ${'▒'.repeat((n + row) % 40)}\x1b[K`).join('')}\x1b[0m\x1b[?2026l`,
  ).join(''),
};

interface Scene {
  at: string;
  ann: Peer;
  bob: Peer;
  daemon: ChildProcess | undefined;
}

let places = 0;

/** A relay, hosted by `host` or, without it, by a daemon apart; two agents joined. */
async function scene(host: ((env: NodeJS.ProcessEnv) => Promise<void>) | undefined): Promise<Scene> {
  const at = join(home, String(++places));
  mkdirSync(at);
  const env = { ...process.env, XDG_STATE_HOME: at, HOME: at };
  let daemon: ChildProcess | undefined;
  if (host === undefined) {
    const [file, ...words] = COMMAND;
    daemon = spawn(file, [...words, 'daemon', '--namespace', 'bench'], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(daemon.stdout as NonNullable<ChildProcess['stdout']>, 'data');
  } else {
    await host(env);
  }
  const place = { system: 'relay' as const, at, mayLead: false };
  const [ann, bob] = await Promise.all([Peer.open(home, place, 'ann'), Peer.open(home, place, 'bob')]);
  return { at, ann, bob, daemon };
}

async function strike({ ann, bob, daemon }: Scene): Promise<void> {
  await ann.end();
  await bob.end();
  if (daemon === undefined) return;
  const ended = once(daemon, 'exit');
  daemon.kill();
  await ended;
}

/** One-way times of messages sent at a pace, µs, and how many there were a second. */
async function pace({ ann, bob }: Scene, perSecond: number, ms: number) {
  await bob.ask({ do: 'expect', count: -1 }, 'expecting');
  const order = { do: 'pace' as const, to: 'bob', perSecond, ms, bytes: BYTES };
  const { paced } = await ann.ask<{ paced: number }>(order, 'paced');
  const { times } = await bob.ask<{ times: number[] }>({ do: 'times' }, 'times');
  return { times, perSecond: paced / (ms / 1000) };
}

/** An agent that prints without end while a file is there, its terminal drained by script(1). */
class Flooder {
  readonly #flag: string;
  readonly #child: ChildProcess;
  #floods = false;

  constructor(at: string, env: NodeJS.ProcessEnv, what: string) {
    this.#flag = join(at, 'flood');
    const text = join(at, 'text');
    writeFileSync(text, what);
    const agent = `printf ready; while :; do if [ -e ${this.#flag} ]; then cat ${text}; else sleep 0.05; fi; done`;
    const wrapper = [...COMMAND, '--namespace', 'bench', '--name', 'host', 'sh', '-c', `'${agent}'`].join(
      ' ',
    );
    this.#child = spawn('script', ['-qfc', wrapper, '/dev/null'], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  }

  /** The agent runs. What it prints from now on is thrown away by cat(1), not by us. */
  async started(): Promise<void> {
    await once(this.#child.stdout as NonNullable<ChildProcess['stdout']>, 'data');
  }

  flood(on: boolean): void {
    if (on === this.#floods) return;
    this.#floods = on;
    if (on) writeFileSync(this.#flag, '');
    else rmSync(this.#flag);
  }

  async end(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.kill();
    await ended;
  }
}

const ms = (us: number) => (us / 1000).toFixed(1);

async function messages(): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [what, text] of Object.entries(FLOODS)) {
    for (const placement of ['hosts', 'does not host'] as const) {
      const times = { quiet: [] as number[], flood: [] as number[] };
      let flooder: Flooder | undefined;
      const wrap = async (env: NodeJS.ProcessEnv) => {
        flooder = new Flooder(env.HOME as string, env, text);
        await flooder.started();
      };
      const stage = await scene(placement === 'hosts' ? wrap : undefined);
      if (placement !== 'hosts') await wrap({ ...process.env, XDG_STATE_HOME: stage.at, HOME: stage.at });
      await pace(stage, CALM, 1000);
      for (let round = 0; round < ROUNDS; round++) {
        for (const phase of ['quiet', 'flood'] as const) {
          flooder?.flood(phase === 'flood');
          await new Promise((done) => setTimeout(done, 500));
          times[phase].push(...(await pace(stage, CALM, PHASE_MS)).times);
        }
      }
      await strike(stage);
      await flooder?.end();
      const p99 = quantile(times.flood, 0.99);
      rows.push({
        what: `one way p50 / p99 / longest while ${what} floods a wrapper that ${placement}`,
        ours: `${ms(median(times.flood))} / ${ms(p99)} / ${ms(Math.max(...times.flood))} ms`,
        beside: `quiet ${ms(median(times.quiet))} / ${ms(quantile(times.quiet, 0.99))} / ${ms(Math.max(...times.quiet))} ms`,
        ratio: (p99 / quantile(times.quiet, 0.99)).toFixed(1),
        gate: placement === 'hosts' ? 'p99 < 20 ms' : '',
        holds: placement !== 'hosts' || p99 < 20_000,
      });
    }
  }
  return rows;
}

async function keys(): Promise<Row[]> {
  const rows: Row[] = [];
  for (const placement of ['hosts', 'does not host'] as const) {
    let terminal: OuterTerminal | undefined;
    const wrap = async (env: NodeJS.ProcessEnv) => {
      const agent = ['sh', '-c', 'stty raw -echo; printf ready; exec cat'];
      terminal = new OuterTerminal([...COMMAND, '--namespace', 'bench', '--name', 'host', ...agent], { env });
      await terminal.see('ready');
    };
    const stage = await scene(placement === 'hosts' ? wrap : undefined);
    if (placement !== 'hosts') await wrap({ ...process.env, XDG_STATE_HOME: stage.at, HOME: stage.at });
    const times = { quiet: [] as number[], busy: [] as number[] };
    const rates: number[] = [];
    await pace(stage, BUSY, 1000);
    for (let round = 0; round < ROUNDS; round++) {
      for (const phase of ['quiet', 'busy'] as const) {
        const every = PHASE_MS / KEYS;
        const sent = phase === 'busy' ? pace(stage, BUSY, PHASE_MS) : undefined;
        for (const until = performance.now() + PHASE_MS; performance.now() < until; ) {
          await new Promise((done) => setTimeout(done, every));
          const began = performance.now();
          const echoed = terminal?.nextOutput();
          terminal?.write('k');
          await echoed;
          times[phase].push((performance.now() - began) * 1000);
        }
        if (sent !== undefined) rates.push((await sent).perSecond);
      }
    }
    await strike(stage);
    await terminal?.dispose();
    const p99 = quantile(times.busy, 0.99);
    rows.push({
      what: `key echo p50 / p99 / longest beside ${Math.round(median(rates))} messages/s, in a wrapper that ${placement}`,
      ours: `${ms(median(times.busy))} / ${ms(p99)} / ${ms(Math.max(...times.busy))} ms`,
      beside: `no message ${ms(median(times.quiet))} / ${ms(quantile(times.quiet, 0.99))} / ${ms(Math.max(...times.quiet))} ms`,
      ratio: (p99 / quantile(times.quiet, 0.99)).toFixed(1),
      gate: '',
      holds: true,
    });
  }
  return rows;
}

const PARTS = { messages, keys };
const rows: Row[] = [];
try {
  await bundlePeer(home);
  for (const [name, part] of Object.entries(PARTS)) {
    if (positionals.length === 0 || positionals.includes(name)) rows.push(...(await part()));
  }
} finally {
  rmSync(home, { recursive: true, force: true });
}
printTable(rows);
console.log(JSON.stringify({ bench: 'neighbour', node: process.version, rows }));
process.exitCode = rows.every((row) => row.holds) ? 0 : 1;
