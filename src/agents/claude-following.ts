/**
 * The transcripts of Claude Code that we follow, and how far each was heard: kept for the wrapper that takes up
 * the session if ours is killed.
 */
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { SpeechSink } from './adapter.ts';
import type { ClaudeLedger } from './claude-ledger.ts';
import { ClaudeMissed } from './claude-missed.ts';
import { parseTranscriptLine, type TranscriptEvent } from './claude-transcript.ts';
import { timestampOf } from './json-record.ts';
import type { Positions } from './positions.ts';
import { TranscriptTail } from './transcript-tail.ts';

export interface ClaudeFollowingOptions {
  positions: Positions;
  ledger: ClaudeLedger;
  clock: Clock;
  log: Log;
  /** Who is told; while nobody is, no position moves. */
  sink(): SpeechSink | undefined;
  /** Takes what stands in a transcript after its first `from` bytes. */
  take(event: TranscriptEvent, file: string, from: number): void;
}

export class ClaudeFollowing {
  readonly #options: ClaudeFollowingOptions;
  readonly #tails = new Map<string, TranscriptTail>();
  /** Bytes read of each transcript. */
  readonly #read = new Map<string, number>();
  /** The transcript that the hooks name. */
  #current: string | undefined;
  #state: 'open' | 'closed' = 'open';

  constructor(options: ClaudeFollowingOptions) {
    this.#options = options;
  }

  has(file: string): boolean {
    return this.#tails.has(file);
  }

  /** The hooks name it: what they begin to tell stands there. */
  name(file: string): void {
    this.#current = file;
    this.follow(file);
  }

  /**
   * Follows a transcript from its end, or from the records of `since` on (wall clock); and tells what an
   * earlier wrapper of ours did not live to hear.
   */
  follow(file: string, since?: number): void {
    if (this.#tails.has(file) || this.#state === 'closed') return;
    const { clock, log, positions, sink, take } = this.#options;
    const kept = positions.get(file);
    const missed = new ClaudeMissed(kept?.begun ?? [], sink);
    const from = kept?.offset ?? (since === undefined ? 'end' : 'start');
    const line = (text: string, end: number) => {
      const start = this.#read.get(file) ?? 0;
      const at = timestampOf(text);
      const old = kept !== undefined && end <= tail.found;
      if (old && at <= kept.until) missed.tell(parseTranscriptLine(text));
      else if (since === undefined ? !old : at >= since) take(parseTranscriptLine(text), file, start);
      this.#read.set(file, end);
      this.keep();
    };
    const tail = new TranscriptTail(file, { clock, log, from, line });
    this.#tails.set(file, tail);
    this.#read.set(file, from === 'end' ? tail.found : from === 'start' ? 0 : from);
    this.keep();
    tail.start();
  }

  /** Keeps how far we are: of each transcript, up to the first block that was not told. */
  keep(): void {
    const { sink, positions, ledger } = this.#options;
    if (sink() === undefined) return;
    for (const [file, read] of this.#read) {
      const begun = file === this.#current ? ledger.begun : [];
      positions.set(file, ledger.unsaidFrom(file) ?? read, begun);
    }
  }

  /** Reads each to its end once more. */
  async close(): Promise<void> {
    for (const tail of this.#tails.values()) await tail.close();
    this.#state = 'closed';
  }
}
