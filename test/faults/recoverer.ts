/** Hosts damaged stores, one after the other, in a process of its own (recover-each.ts). */
import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleProgram, exited, message } from './leaders.ts';
import type { Recovered } from './recover-each.ts';

const PROGRAM = fileURLToPath(new URL('recover-each.ts', import.meta.url));

export class Recoverer {
  readonly #child: ChildProcess;

  /** `scratch`: where its program is put. */
  constructor(scratch: string) {
    this.#child = fork(bundleProgram(PROGRAM, join(scratch, 'recoverer')), {
      execArgv: [],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
  }

  /** Leads the relay in `state` for a moment: what its store gave. Throws what the daemon did. */
  async recover(state: string): Promise<Recovered> {
    const answer = message<Recovered>(this.#child);
    this.#child.send(state);
    const recovered = await answer;
    if (recovered.error !== undefined) throw new Error(recovered.error);
    return recovered;
  }

  async close(): Promise<void> {
    this.#child.kill('SIGKILL');
    await exited(this.#child);
  }
}
