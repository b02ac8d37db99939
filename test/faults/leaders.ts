/**
 * N processes attach at once, a stale socket lying there: exactly one leader, and all the others reach it.
 * `npm run test:leaders [trials] [processes]`; with fewer trials also part of the suite. P20.
 */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';

interface Report {
  role: string;
  epoch?: number;
  answered?: number;
  error?: string;
}

const CHILD = fileURLToPath(new URL('attach-once.ts', import.meta.url));

/** A child's program in one file: twenty of them start in a second, not in half a minute. */
export function bundleProgram(entry: string, directory: string): string {
  const outfile = join(directory, 'program.mjs');
  const banner =
    "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);";
  buildSync({
    entryPoints: [entry],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    banner: { js: banner },
  });
  return outfile;
}

export const exited = (child: ChildProcess): Promise<unknown> =>
  child.exitCode !== null || child.signalCode !== null
    ? Promise.resolve()
    : new Promise((resolve) => child.once('exit', resolve));

/** The next message of a child; rejects if it ends first. */
export function message<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    const early = (code: number | null) => reject(new Error(`a process ended early with ${code}`));
    child.once('exit', early);
    child.once('message', (value) => {
      child.off('exit', early);
      resolve(value as T);
    });
  });
}

/** A socket nobody listens on, as a killed leader leaves it. */
export async function leaveStaleSocket(state: string): Promise<void> {
  const root = join(state, 'agent-relay');
  const directory = join(root, `default@${hostname().replace(/[^A-Za-z0-9.-]/g, '-')}`);
  for (const each of [root, directory]) mkdirSync(each, { mode: 0o700 });
  const code = `require('net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`;
  await exited(spawn(process.execPath, ['-e', code, join(directory, 'relay.0000000001.sock')]));
}

/** Runs the trials; returns what was wrong with those that failed. */
export async function leadersTrials(trials: number, processes: number): Promise<string[]> {
  const bundle = mkdtempSync(join(tmpdir(), 'agent-wrap-child-'));
  const program = bundleProgram(CHILD, bundle);
  const children = Array.from({ length: processes }, () =>
    fork(program, { execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] }),
  );
  const wrong: string[] = [];
  try {
    await Promise.all(children.map((child) => message(child)));
    for (let trial = 1; trial <= trials; trial++) {
      const verdict = judge(await runTrial(children));
      if (verdict !== undefined) wrong.push(`trial ${trial}: ${verdict}`);
    }
  } finally {
    for (const child of children) child.kill('SIGKILL');
    await Promise.all(children.map(exited));
    rmSync(bundle, { recursive: true, force: true });
  }
  return wrong;
}

async function runTrial(children: readonly ChildProcess[]): Promise<Report[]> {
  const state = mkdtempSync(join(tmpdir(), 'agent-wrap-leaders-'));
  try {
    await leaveStaleSocket(state);
    const reports = children.map((child) => message<Report>(child));
    for (const child of children) child.send({ state });
    const all = await Promise.all(reports);
    const closed = children.map((child) => message(child));
    for (const child of children) child.send('close');
    await Promise.all(closed);
    return all;
  } finally {
    rmSync(state, { recursive: true, force: true });
  }
}

function judge(reports: readonly Report[]): string | undefined {
  const leaders = reports.filter(({ role }) => role === 'leader');
  if (leaders.length !== 1) return `${leaders.length} leaders: ${JSON.stringify(reports)}`;
  const epoch = leaders[0]?.epoch;
  const astray = reports.filter((report) => report.epoch !== epoch || report.answered !== epoch);
  return astray.length === 0 ? undefined : `not at epoch ${epoch}: ${JSON.stringify(astray)}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [trials = 200, processes = 20] = process.argv.slice(2).map(Number);
  const wrong = await leadersTrials(trials, processes);
  for (const line of wrong) console.error(line);
  console.log(`${trials} trials of ${processes} processes: ${trials - wrong.length} with exactly one leader`);
  process.exitCode = wrong.length === 0 ? 0 : 1;
}
