/**
 * Speaks to Codex without its keyboard: `codex queue` puts a prompt behind the thread, which takes it when
 * it is idle; drafts and questions are not touched. Seen in 0.169.0: exact, there in 4–9 s, because the
 * running Codex polls. real-agents.md §5.
 */
import { execFile } from 'node:child_process';
import { RelayError } from '../base/errors.ts';
import type { NativeChannel } from './adapter.ts';

/** Bytes of one argument that Linux takes (MAX_ARG_STRLEN), with its end. */
const MAX_ARGUMENT_BYTES = 128 * 1024 - 1;

export interface CodexQueueOptions {
  file: string;
  /** Words between `file` and the arguments of Codex. */
  launcher: readonly string[];
  env: Readonly<Record<string, string>>;
  cwd: string;
  /** The thread that is on the screen, once it has a record. */
  thread(): string | undefined;
}

export class CodexQueue implements NativeChannel {
  readonly name = 'codex queue';
  readonly #options: CodexQueueOptions;
  #running = Promise.resolve();

  constructor(options: CodexQueueOptions) {
    this.#options = options;
  }

  /**
   * Resolves when the prompt is in Codex's own queue. While the command runs, other users of the machine
   * can read the text in the list of processes: Codex takes it no other way.
   */
  deliver(text: string): Promise<void> {
    // One after the other: they keep their order.
    const done = this.#running.then(() => this.#queue(text));
    this.#running = done.catch(() => {});
    return done;
  }

  /** Waits for what is being handed over. */
  close(): Promise<void> {
    return this.#running;
  }

  async #queue(text: string): Promise<void> {
    const { file, launcher, env, cwd, thread } = this.#options;
    const id = thread();
    if (id === undefined) throw new RelayError('DEFERRED', 'this Codex has no thread yet');
    if (Buffer.byteLength(text) > MAX_ARGUMENT_BYTES) {
      throw new RelayError('MESSAGE_TOO_LARGE', 'the message is too long for an argument of codex queue');
    }
    // `=`: a text that begins with a dash is no option.
    const args = [...launcher, 'queue', `--thread=${id}`, `--message=${text}`];
    await new Promise<void>((resolve, reject) => {
      execFile(file, args, { env, cwd }, (error, _out, stderr) => {
        if (!error) resolve();
        else
          reject(new RelayError('DEFERRED', `codex queue: ${stderr.trim().slice(0, 200)}`, { cause: error }));
      });
    });
  }
}
