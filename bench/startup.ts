/**
 * How long a person waits for the first byte: `node --import tsx bench/startup.ts [rounds]`. All tools take
 * turns in one run, so that a busy machine is busy for all; compare ratios. Needs `npm run bundle`, and
 * `npm run package` for the line of the executable.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '..');
const NODE = process.execPath;
const CLI = join(ROOT, 'bin/agent-wrap.js');
const BINARY = process.env.AGENT_WRAP_BIN ?? join(ROOT, 'build/agent-wrap');
/** Rounds before those that count: caches of files fill. */
const WARM_UP = 2;

const home = mkdtempSync(join(tmpdir(), 'startup-'));
const env = { ...process.env, HOME: home, XDG_STATE_HOME: home, XDG_CACHE_HOME: home, XDG_RUNTIME_DIR: home };

const ours = (label: string, ...start: [string, ...string[]]): [string, string[]][] => [
  [`${label} --no-relay echo`, [...start, '--no-relay', 'echo', 'hi']],
  [`${label} echo (hosts the relay)`, [...start, 'echo', 'hi']],
  [`${label} --name bob echo (hosts the relay)`, [...start, '--name', 'bob', 'echo', 'hi']],
  [`${label} echo (joins the relay)`, [...start, '--namespace', 'joined', 'echo', 'hi']],
  [`${label} --version`, [...start, '--version']],
  [`${label} --help`, [...start, '--help']],
];

const CASES: [string, string[]][] = [
  ['script', ['script', '-qfc', 'echo hi', '/dev/null']],
  ['node -e', [NODE, '-e', 'console.log(1)']],
  ...ours('bin', NODE, CLI),
  ...(existsSync(BINARY) ? ours('executable', BINARY) : []),
];

/** Milliseconds to the first byte of stdout and to the end. */
function measure([file = '', ...args]: string[]): Promise<{ first: number; end: number }> {
  return new Promise((done, fail) => {
    const began = performance.now();
    let first = Number.NaN;
    const child = spawn(file, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
    child.stdout.once('data', () => {
      first = performance.now() - began;
    });
    child.on('error', fail);
    child.on('close', (code) => {
      if (code !== 0) fail(new Error(`${file} ${args.join(' ')} ended with ${code}`));
      else done({ first, end: performance.now() - began });
    });
  });
}

const quantile = (values: readonly number[], q: number) =>
  ([...values].sort((a, b) => a - b)[Math.floor(q * (values.length - 1))] ?? Number.NaN)
    .toFixed(1)
    .padStart(7);

const rounds = Number(process.argv[2] ?? 20);
const results = CASES.map(([label, argv]) => ({ label, argv, first: [] as number[], end: [] as number[] }));
// The relay that is joined.
const daemon = spawn(NODE, [CLI, 'daemon', '--namespace', 'joined'], {
  env,
  stdio: ['ignore', 'ignore', 'inherit'],
});
try {
  for (let round = -WARM_UP; round < rounds; round++) {
    for (const { argv, first, end } of results) {
      const times = await measure(argv);
      if (round < 0) continue;
      first.push(times.first);
      end.push(times.end);
    }
  }
} finally {
  daemon.kill();
  await once(daemon, 'exit');
  rmSync(home, { recursive: true, force: true });
}
process.stdout.write(
  `Node ${process.version}, ${rounds} rounds, ms         first byte p10     p50     p90  ÷ node   end p50\n`,
);
const bare = results.find(({ label }) => label === 'node -e')?.first ?? [];
const ratio = (first: readonly number[]) =>
  (Number(quantile(first, 0.5)) / Number(quantile(bare, 0.5))).toFixed(2).padStart(7);
for (const { label, first, end } of results) {
  process.stdout.write(
    `${label.padEnd(46)}${quantile(first, 0.1)} ${quantile(first, 0.5)} ${quantile(first, 0.9)} ${ratio(first)}   ${quantile(end, 0.5)}\n`,
  );
}
