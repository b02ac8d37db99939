/**
 * The wrapper beside `script -qfc` (util-linux), terminal.md §6: bytes, throughput, keys, start, stalls.
 *   npm run -s build && npx tsx bench/passthrough.ts [part …] [--runs 500] [--rounds 5] [--keys 1500]
 * Parts: bytes throughput keys start terminal-stall agent-stall (default: all).
 */
import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock } from '../src/base/clock.ts';
import { silentLog } from '../src/base/log.ts';
import { FIXED_NAME } from '../src/daemon/leadership.ts';
import { attach } from '../src/wrap/attach.ts';
import { COMMAND, LEADING, OuterTerminal } from '../test/helpers/outer-terminal.ts';
import { waitFor } from '../test/helpers/wait-for.ts';
import { median, printTable, quantile, type Row } from './table.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: '500' },
    rounds: { type: 'string', default: '5' },
    keys: { type: 'string', default: '1500' },
  },
});
const RUNS = Number(values.runs);
const ROUNDS = Number(values.rounds);
const KEYS = Number(values.keys);
const STALL_MS = 7000;

const folder = mkdtempSync(join(tmpdir(), 'agent-wrap-bench-'));
// A relay of its own: never that of the person who runs this.
Object.assign(process.env, {
  HOME: folder,
  XDG_STATE_HOME: folder,
  XDG_CACHE_HOME: folder,
  XDG_RUNTIME_DIR: folder,
});
const sleep = (ms: number) => new Promise((done) => setTimeout(done, ms));
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const cooked = (bytes: Buffer) => Buffer.from(bytes.toString('latin1').replaceAll('\n', '\r\n'), 'latin1');
const quote = (argv: readonly string[]) => argv.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
const wrapped = (argv: readonly string[]) => [...COMMAND, '--no-relay', ...argv];
/** As a person starts it: it hosts a relay of its own, and reads what the agent says. */
const related = (argv: readonly string[]) => [...COMMAND, ...argv];
const scripted = (argv: readonly string[]) => ['script', '-qefc', quote(argv), '/dev/null'];
const fixed = (value: number, digits = 1) => value.toFixed(digits);

/** Short, large and binary output, each compared by sha256. */
async function bytes(): Promise<Row> {
  const coloured = Buffer.from('\x1b[32mcoloured\x1b[0m text é 漢字 🎉 0123456789\n'.repeat(40_000));
  const contents = { large: coloured.subarray(0, 2_000_000), random: randomBytes(500_000) };
  const numbers = Buffer.from(Array.from({ length: 4000 }, (_, i) => `${i + 1}\n`).join(''));
  const cases: { argv: string[]; expected: string }[] = [
    { argv: ['seq', '1', '4000'], expected: sha256(cooked(numbers)) },
  ];
  for (const [name, content] of Object.entries(contents)) {
    const file = join(folder, name);
    writeFileSync(file, content);
    cases.push({ argv: ['cat', file], expected: sha256(cooked(content)) });
  }
  const bad = { ours: 0, script: 0 };
  for (let run = 0; run < RUNS; run += 1) {
    for (const { argv, expected } of cases) {
      const both = { ours: new OuterTerminal(wrapped(argv)), script: new OuterTerminal(scripted(argv)) };
      for (const [tool, terminal] of Object.entries(both) as ['ours' | 'script', OuterTerminal][]) {
        await terminal.end(60_000);
        if (sha256(terminal.bytes) !== expected) bad[tool] += 1;
      }
    }
  }
  const total = RUNS * cases.length;
  return {
    what: `bytes lost or changed, ${RUNS} × (seq, 2 MB, random)`,
    ours: `${bad.ours} of ${total} runs`,
    beside: `script ${bad.script} of ${total}`,
    ratio: '',
    gate: '0',
    holds: bad.ours === 0,
  };
}

/** 100 MB of coloured text. The outer terminal is a script(1) too, so that C drains it and not Node. */
async function throughput(): Promise<Row[]> {
  const file = join(folder, '100mb');
  const line =
    '\x1b[1;32m+ added\x1b[0m line of \x1b[38;5;208mcoloured\x1b[0m text, as a diff has them 0123456789\n';
  writeFileSync(file, line.repeat(Math.ceil(100e6 / line.length)));
  const run = (argv: readonly string[]) => {
    const start = performance.now();
    const [command = '', ...args] = scripted(argv);
    spawnSync(command, args, { stdio: ['ignore', 'ignore', 'inherit'] });
    return performance.now() - start;
  };
  const times = { '--no-relay': [] as number[], 'with the relay': [] as number[], script: [] as number[] };
  for (let round = 0; round < ROUNDS; round += 1) {
    times['--no-relay'].push(run(wrapped(['cat', file])));
    times['with the relay'].push(run(related(['cat', file])));
    times.script.push(run(scripted(['cat', file])));
  }
  return (['--no-relay', 'with the relay'] as const).map((kind) => {
    const ratio = median(times[kind]) / median(times.script);
    return {
      what: `100 MB of coloured text, wall, ${kind}`,
      ours: `${fixed(median(times[kind]), 0)} ms`,
      beside: `script ${fixed(median(times.script), 0)} ms`,
      ratio: fixed(ratio, 2),
      gate: '≤ 2 (aim 1.3)',
      holds: ratio <= 2,
    };
  });
}

/** One key to a raw `cat` and back, the tools taking turns key by key. */
async function keys(): Promise<Row[]> {
  const agent = ['sh', '-c', 'stty raw -echo; printf ready; exec cat'];
  const tools = {
    '--no-relay': new OuterTerminal(wrapped(agent)),
    'with the relay': new OuterTerminal(related(agent)),
    script: new OuterTerminal(scripted(agent)),
    direct: new OuterTerminal(agent),
  };
  const times: Record<keyof typeof tools, number[]> = {
    '--no-relay': [],
    'with the relay': [],
    script: [],
    direct: [],
  };
  const all = Object.entries(tools) as [keyof typeof tools, OuterTerminal][];
  for (const [, terminal] of all) await terminal.see('ready');
  for (let key = 0; key < KEYS; key += 1) {
    for (const [tool, terminal] of all) {
      const start = performance.now();
      const echoed = terminal.nextOutput();
      terminal.write('k');
      await echoed;
      times[tool].push((performance.now() - start) * 1000);
    }
  }
  for (const [, terminal] of all) await terminal.dispose();
  const them = median(times.script);
  return (['--no-relay', 'with the relay'] as const).map((kind) => {
    const us = median(times[kind]);
    return {
      what: `key round trip p50 (p90), ${KEYS} keys, ${kind}`,
      ours: `${fixed(us, 0)} (${fixed(quantile(times[kind], 0.9), 0)}) µs`,
      beside: `script ${fixed(them, 0)} (${fixed(quantile(times.script, 0.9), 0)}), direct ${fixed(median(times.direct), 0)} µs`,
      ratio: `+${fixed(us - them, 0)} µs`,
      gate: '≤ +80 µs',
      holds: us - them <= 80,
    };
  });
}

/** From the spawn to the first byte on the terminal. */
async function start(): Promise<Row> {
  const first = async (argv: readonly string[]) => {
    const from = performance.now();
    const terminal = new OuterTerminal(argv);
    await terminal.nextOutput();
    const took = performance.now() - from;
    await terminal.end();
    return took;
  };
  const ours: number[] = [];
  const node: number[] = [];
  const script: number[] = [];
  for (let round = 0; round < ROUNDS * 5; round += 1) {
    ours.push(await first(wrapped(['echo', 'hi'])));
    node.push(await first([process.execPath, '-e', "process.stdout.write('hi')"]));
    script.push(await first(scripted(['echo', 'hi'])));
  }
  const ratio = median(ours) / median(node);
  return {
    what: 'first byte of `echo hi`, p50',
    ours: `${fixed(median(ours))} ms`,
    beside: `node -e ${fixed(median(node))}, script ${fixed(median(script))} ms`,
    ratio: fixed(ratio, 2),
    gate: '≤ 1.5 × node -e',
    holds: ratio <= 1.5,
  };
}

/** Milliseconds until the daemon at `socketPath` has answered GET /health. */
function health(socketPath: string): Promise<number> {
  const start = performance.now();
  return new Promise((done, fail) => {
    const call = get({ socketPath, path: '/health', agent: false }, (response) => {
      response.resume().on('end', () => done(performance.now() - start));
    });
    call.on('error', fail);
  });
}

/** Nobody reads the terminal while the agent prints: the loop, and the daemon in it, must live on. */
async function terminalStall(): Promise<Row> {
  const probe = join(folder, 'probe');
  const loaded = [process.execPath, '--import', resolve(import.meta.dirname, 'loop-probe.mjs')];
  const terminal = new OuterTerminal([...loaded, ...LEADING, 'yes'], { env: { PROBE_FILE: probe } });
  await terminal.see('y');
  const look = { namespace: 'default', env: process.env, mayLead: false, clock: systemClock, log: silentLog };
  const { directory } = await attach(look);
  terminal.stall();
  const pings: number[] = [];
  for (const until = performance.now() + STALL_MS; performance.now() < until; await sleep(50)) {
    pings.push(await health(join(directory, FIXED_NAME)));
  }
  const report = JSON.parse(readFileSync(probe, 'utf8')) as Record<
    'samples' | 'p99' | 'max' | 'maxRss',
    number
  >;
  await terminal.dispose();
  const rss = report.maxRss / 1e6;
  return {
    what: `terminal stalled ${STALL_MS / 1000} s, hosting: GET /health p99 (max), RSS`,
    ours: `${fixed(quantile(pings, 0.99))} (${fixed(Math.max(...pings))}) ms, ${fixed(rss, 0)} MB`,
    beside: `${pings.length} pings; loop lag p99 ${fixed(report.p99)} ms`,
    ratio: '',
    gate: '< 50 ms, < 80 MB',
    holds: quantile(pings, 0.99) < 50 && report.samples > (STALL_MS / 5) * 0.5 && rss < 80,
  };
}

/** A paste of 1 MB while the agent does not read. */
async function agentStall(): Promise<Row> {
  const seconds = 5;
  const terminal = new OuterTerminal(
    wrapped(['sh', '-c', `stty raw -echo; printf ready; sleep ${seconds}; head -c 1000000 | sha256sum`]),
  );
  await terminal.see('ready');
  // Fields 14 and 15: user and system time in ticks of 10 ms.
  const cpuMs = () => {
    const stat = readFileSync(`/proc/${terminal.pid}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? [];
    return (Number(stat[11]) + Number(stat[12])) * 10;
  };
  const paste = Buffer.from(randomBytes(500_000).toString('hex'));
  const before = cpuMs();
  terminal.write(paste);
  const from = performance.now();
  await sleep((seconds - 1) * 1000);
  const percent = ((cpuMs() - before) / (performance.now() - from)) * 100;
  await waitFor(() => terminal.text.includes(sha256(paste)), 'the whole paste');
  await terminal.dispose();
  return {
    what: '1 MB paste into a stalled agent, CPU',
    ours: `${fixed(percent)} %`,
    beside: '',
    ratio: '',
    gate: '< 5 %',
    holds: percent < 5,
  };
}

const PARTS: Record<string, () => Promise<Row | Row[]>> = {
  bytes,
  throughput,
  keys,
  start,
  'terminal-stall': terminalStall,
  'agent-stall': agentStall,
};

const rows: Row[] = [];
try {
  for (const [name, part] of Object.entries(PARTS)) {
    if (positionals.length > 0 && !positionals.includes(name)) continue;
    rows.push(...[await part()].flat());
  }
} finally {
  rmSync(folder, { recursive: true });
}
printTable(rows);
console.log(JSON.stringify({ bench: 'passthrough', node: process.version, rows }));
process.exitCode = rows.every((row) => row.holds) ? 0 : 1;
