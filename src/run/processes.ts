/**
 * Every process that a run has started, grandchildren included, and their end. A process belongs to the run
 * if the run's mark stands in its environment, or if it descends from one that does, or shares a terminal
 * session with one: so a daemon that cut all its ties is found by the mark, and one that emptied its
 * environment by its ties.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import type { Clock } from '../base/clock.ts';

/** The variable with the mark of each run around a process, outermost first. */
export const MARK_VARIABLE = 'AGENT_WRAP_RUN';
/** Milliseconds between SIGTERM and SIGKILL. */
const GRACE_MS = 1_000;
/** Milliseconds after which a process that SIGKILL did not end is given up: it waits in the kernel. */
const GIVE_UP_MS = 5_000;
const LOOK_MS = 20;

export interface ProcessRow {
  pid: number;
  parent: number;
  /** Its session (Linux) or process group. */
  group: number;
  marked: boolean;
}

/** The environment of a process of the run `mark`, inside whatever runs there are around it. */
export const markedEnv = (env: Readonly<Record<string, string | undefined>>, mark: string) => ({
  [MARK_VARIABLE]: [env[MARK_VARIABLE], mark].filter(Boolean).join(':'),
});

/** The pids of the run, this process excepted; `roots` are known to belong to it. */
export function findProcesses(mark: string, roots: Iterable<number> = []): number[] {
  return selectProcesses(process.platform === 'linux' ? readProc(mark) : readPs(), new Set(roots));
}

/** Those marked, the roots that are there, and all tied to them. */
export function selectProcesses(rows: readonly ProcessRow[], roots: ReadonlySet<number>): number[] {
  const found = new Set(rows.filter(({ pid, marked }) => marked || roots.has(pid)).map(({ pid }) => pid));
  found.delete(process.pid);
  for (let before = -1; before !== found.size; ) {
    before = found.size;
    for (const { pid, parent, group } of rows) {
      if (pid !== process.pid && (found.has(parent) || found.has(group))) found.add(pid);
    }
  }
  return [...found];
}

/** Ends what `find` finds: SIGTERM, then SIGKILL, until nothing is left. Resolves to what is left all the same. */
export async function endProcesses(find: () => number[], clock: Clock): Promise<number[]> {
  const startedAt = clock.monotonic();
  const told = new Set<number>();
  for (;;) {
    const pids = find();
    const passed = clock.monotonic() - startedAt;
    if (pids.length === 0 || passed > GIVE_UP_MS) return pids;
    for (const pid of pids) {
      if (passed > GRACE_MS) send(pid, 'SIGKILL');
      else if (!told.has(pid)) {
        told.add(pid);
        send(pid, 'SIGTERM');
        send(pid, 'SIGCONT'); // A stopped process would not hear it.
      }
    }
    await new Promise<void>((resolve) => void clock.after(LOOK_MS, resolve));
  }
}

/** At once and without asking. */
export function killProcesses(pids: readonly number[]): void {
  for (const pid of pids) send(pid, 'SIGKILL');
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has just ended.
  }
}

function readProc(mark: string): ProcessRow[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'latin1');
      // pid (name) state ppid pgrp session …; the name may hold anything.
      const [state, parent, , session] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if (state === 'Z' || state === 'X') return [];
      return [
        { pid: Number(name), parent: Number(parent), group: Number(session), marked: isMarked(name, mark) },
      ];
    } catch {
      return []; // It has just ended.
    }
  });
}

function isMarked(pid: string, mark: string): boolean {
  try {
    const start = `${MARK_VARIABLE}=`;
    const variables = readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0');
    const value = variables.find((variable) => variable.startsWith(start));
    return value?.slice(start.length).split(':').includes(mark) ?? false;
  } catch {
    return false; // Another user's.
  }
}

/** Without /proc nobody shows us environments: ties alone must do. */
function readPs(): ProcessRow[] {
  const table = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,pgid=,stat='], { encoding: 'utf8' });
  return table.split('\n').flatMap((line) => {
    const [pid, parent, group, state] = line.trim().split(/\s+/);
    if (state === undefined || state.startsWith('Z')) return [];
    return [{ pid: Number(pid), parent: Number(parent), group: Number(group), marked: false }];
  });
}
