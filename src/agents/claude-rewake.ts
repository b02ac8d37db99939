/**
 * Speaks to Claude Code without its keyboard: it watches a file of ours (`FileChanged` hook); when a message
 * is laid there, the hook (`asyncRewake`) takes it away and wakes Claude Code with it, or puts it into its
 * queue. Drafts and questions are not touched. Seen in 2.1.329. docs/agents.md "By its own channel".
 */
import { existsSync, renameSync, writeFileSync } from 'node:fs';
import type { Clock } from '../base/clock.ts';
import { RelayError } from '../base/errors.ts';
import type { NativeChannel, StateReader } from './adapter.ts';
import type { JsonRecord } from './json-record.ts';

/** Characters: Claude Code cuts the words of a hook at 100,000, the frame around them included. */
const MAX_CHARACTERS = 95_000;
/** Milliseconds within which a hook takes the message away; seen: 600–1,100, of which 500 are for the file to rest. */
const CLAIM_MS = 6_000;
/** Milliseconds after which the file is laid down once more: one that came while the watch began goes unseen. */
const AGAIN_MS = 2_000;
/** Milliseconds, while Claude Code neither works nor asks, for it to say that it took the prompt. */
const CONFIRM_MS = 15_000;
const LOOK_MS = 50;

export interface ClaudeRewakeOptions {
  /** The watched file, in a directory of this run; its name is like no other's in the project. */
  file: string;
  state: Pick<StateReader, 'state'>;
  clock: Clock;
}

export class ClaudeRewake implements NativeChannel {
  readonly name = 'asyncRewake';
  readonly #options: ClaudeRewakeOptions;
  #running = Promise.resolve();
  /** What was laid down and is not known to be taken. */
  #open: { id: string; taken: boolean } | undefined;
  #state: 'open' | 'closed' = 'open';

  constructor(options: ClaudeRewakeOptions) {
    this.#options = options;
  }

  /** A prompt that Claude Code took, by its own account. */
  taken(prompt: string): void {
    if (this.#open !== undefined && prompt.includes(this.#open.id)) this.#open.taken = true;
  }

  /** Resolves when the prompt is a part of the conversation, which a question of Claude Code may hold up for hours. */
  deliver(text: string, id: string): Promise<void> {
    // One after the other: the hook knows one file.
    const done = this.#running.then(() => this.#deliver(text, id));
    this.#running = done.catch(() => {});
    return done;
  }

  /** Takes back what no hook has taken. */
  close(): Promise<void> {
    this.#state = 'closed';
    return this.#running;
  }

  async #deliver(text: string, id: string): Promise<void> {
    if (text.length > MAX_CHARACTERS) {
      throw new RelayError('MESSAGE_TOO_LARGE', 'the message is too long for a hook of Claude Code');
    }
    const open = { id, taken: false };
    this.#open = open;
    try {
      writeFileSync(this.#aside, text, { mode: 0o600 });
      this.#layDown();
      if (!(await this.#claimed())) {
        throw new RelayError('DEFERRED', 'no hook took the message: hooks are off, or it is not ready yet');
      }
      if (!(await this.#confirmed(open))) {
        throw new RelayError('NOT_CONFIRMED', 'a hook took the message, and Claude Code did not show it');
      }
    } finally {
      this.#open = undefined;
    }
  }

  /** False if no hook took it, and none will. */
  async #claimed(): Promise<boolean> {
    const { file, clock } = this.#options;
    const began = clock.monotonic();
    let laidAt = began;
    while (existsSync(file)) {
      const now = clock.monotonic();
      if (this.#state === 'closed' || now - began >= CLAIM_MS) return !this.#takeBack();
      if (now - laidAt >= AGAIN_MS) {
        laidAt = now;
        if (this.#takeBack()) this.#layDown();
      }
      await this.#pause();
    }
    return true;
  }

  async #confirmed(open: { taken: boolean }): Promise<boolean> {
    const { clock, state } = this.#options;
    let since = clock.monotonic();
    while (!open.taken && this.#state === 'open') {
      const now = clock.monotonic();
      // Behind a question or an answer under way it waits in the queue.
      if (state.state === 'busy' || state.state === 'dialog') since = now;
      if (now - since >= CONFIRM_MS) return false;
      await this.#pause();
    }
    return open.taken;
  }

  get #aside(): string {
    return `${this.#options.file}.aside`;
  }

  /** By a rename: the hook finds the whole of it. */
  #layDown(): void {
    renameSync(this.#aside, this.#options.file);
  }

  /** True if we have it again; else the hook's own rename came before ours. */
  #takeBack(): boolean {
    try {
      renameSync(this.#options.file, this.#aside);
      return true;
    } catch {
      return false;
    }
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => void this.#options.clock.after(LOOK_MS, resolve, { unref: true }));
  }
}

/**
 * The entry of `hooks.FileChanged` for it. Who renames the file has the message: of two hooks, or a hook and
 * us, one. The full path makes Claude Code watch it, the bare name (which it looks for in the project as
 * well) makes the hook match.
 */
export function rewakeHook(file: string): JsonRecord {
  const quoted = `'${file.replaceAll("'", `'\\''`)}'`;
  const mine = `${quoted}.$$`;
  const command = `mv ${quoted} ${mine} 2>/dev/null || exit 0; cat ${mine} >&2; rm ${mine}; exit 2`;
  const hook = {
    type: 'command',
    command,
    asyncRewake: true,
    rewakeMessage: 'Another agent speaks to you over the relay:',
    rewakeSummary: 'A message came over the relay (agent-wrap log shows it)',
  };
  return { matcher: `${file}|${file.slice(file.lastIndexOf('/') + 1)}`, hooks: [hook] };
}
