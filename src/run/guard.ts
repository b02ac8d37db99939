/**
 * Cleans up behind a run that cannot do it itself: a process of its own that waits for the run's end (its
 * stdin closes, however the run ends), then ends what is left of it and removes its directory.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import type { Socket } from 'node:net';
import { basename, isAbsolute } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { RelayError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { endProcesses, findProcesses } from './processes.ts';

/** How mkdtemp names the directory of a run; also the mark of its processes. */
export const DIRECTORY_PREFIX = 'agent-wrap-run-';
const DIRECTORY_NAME = /^agent-wrap-run-[A-Za-z0-9]{6}$/;
/** Milliseconds a run waits for its guard to be gone. */
const CLOSE_MS = 3_000;

export class Guard {
  readonly #child: ChildProcess;
  readonly #clock: Clock;

  /** Must be made before the first PTY: a master is inherited, and would keep its agents alive (pty.ts). */
  constructor(self: { file: string; args: readonly string[] }, directory: string, clock: Clock, log: Log) {
    this.#clock = clock;
    // A session of its own: Ctrl-C in the terminal of the run is not for it.
    this.#child = spawn(self.file, [...self.args, 'run-guard', directory], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    this.#child.on('error', (error) => log.warn('run.unguarded', { error }));
    this.#child.stdin?.on('error', () => {}); // It was ended before us.
    this.#child.unref();
    (this.#child.stdin as Socket | null)?.unref();
  }

  /** Lets it go, when everything is clean already. */
  async close(): Promise<void> {
    const { pid, exitCode, signalCode } = this.#child;
    if (pid === undefined || exitCode !== null || signalCode !== null) return;
    this.#child.ref();
    await new Promise<void>((resolve) => {
      this.#child.once('exit', () => resolve());
      this.#clock.after(CLOSE_MS, resolve, { unref: true });
      this.#child.stdin?.end();
    });
    this.#child.unref();
  }
}

/** The guard itself. Throws USAGE for a directory that no run has made: it will be removed. */
export async function guard(directory: string, input: NodeJS.ReadableStream, clock: Clock): Promise<void> {
  const mark = basename(directory);
  if (!isAbsolute(directory) || !DIRECTORY_NAME.test(mark)) {
    throw new RelayError('USAGE', `not the directory of a run: ${directory}`);
  }
  await new Promise<void>((resolve) => {
    for (const event of ['end', 'close', 'error']) input.once(event, () => resolve());
    input.resume();
  });
  await endProcesses(() => findProcesses(mark), clock);
  rmSync(directory, { recursive: true, force: true });
}
