/** A directory of one run of the wrapper: mode 0700, made when first needed, removed at the end. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export class RunDirectory {
  #path: string | undefined;

  path(): string {
    // mkdtemp makes it with mode 0700 and a name nobody can have prepared.
    this.#path ??= mkdtempSync(join(tmpdir(), 'agent-wrap-'));
    return this.#path;
  }

  /** Removes it with all in it. Twice is fine. */
  remove(): void {
    if (this.#path !== undefined) rmSync(this.#path, { recursive: true, force: true });
    this.#path = undefined;
  }
}
