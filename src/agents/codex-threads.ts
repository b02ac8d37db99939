/**
 * Codex's speech: the rollout files of our own threads, found among all that Codex writes on this machine.
 * A thread is ours if our briefing (with our name in it) stands in it, or was forked from one that is;
 * without a briefing, if it began in our folder after we did. real-agents.md §5.
 */
import type { Clock, Timer } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { SpeechSink, SpeechSource } from './adapter.ts';
import { parseRolloutLine, type RolloutEvent } from './codex-rollout.ts';
import { recentRollouts, rolloutsSince, threadOf } from './codex-rollouts.ts';
import { timestampOf } from './json-record.ts';
import type { Positions } from './positions.ts';
import { Recognition } from './recognition.ts';
import { RecordedTurns } from './recorded-turns.ts';
import { TranscriptTail } from './transcript-tail.ts';

/** Milliseconds between looks for new files: a model needs longer for its first words. */
const LOOK_MS = 250;

/** Milliseconds that no turn of a model stays below; a title that flickers at the start does (0.169.0). */
const TURN_MS = 50;

export interface CodexThreadsOptions {
  /** `$CODEX_HOME/sessions` */
  folder: string;
  /** The folders that count as ours: as given, resolved, of `--cd`. */
  cwds: readonly string[];
  /** `cli`, or `exec` for `codex exec`. */
  source: string;
  briefing: string | undefined;
  positions: Positions;
  clock: Clock;
  log: Log;
}

/** One rollout file while we follow it. */
interface Thread {
  tail: TranscriptTail;
  state: 'undecided' | 'ours' | 'foreign';
  id: string | undefined;
  /** Events before it was decided. */
  held: RolloutEvent[];
  /** The newest message of the model. */
  last: string | undefined;
}

interface Followed {
  from: 'start' | number;
  /** Was the line said to us? */
  wanted(line: string): boolean;
}

const UNDECIDED = { state: 'undecided', id: undefined } as const;

export class CodexThreads implements SpeechSource {
  readonly kind = 'transcript';
  readonly #options: CodexThreadsOptions;
  readonly #threads = new Map<string, Thread>();
  readonly #ours = new Set<string>();
  readonly #recognition = new Recognition();
  #current: string | undefined;
  /** Files that were there before us: followed only if a turn of ours turns out to go there. */
  readonly #old = new Set<string>();
  #sink: SpeechSink | undefined;
  #timer: Timer | undefined;
  readonly #turns: RecordedTurns;

  constructor(options: CodexThreadsOptions) {
    this.#options = options;
    this.#turns = new RecordedTurns({
      clock: options.clock,
      shortestMs: TURN_MS,
      due: (since) => this.#check(since),
    });
  }

  start(sink: SpeechSink): void {
    this.#sink = sink;
    for (const file of this.#recent()) this.#old.add(file);
    this.#timer = this.#options.clock.every(LOOK_MS, () => this.#look(), { unref: true });
  }

  /** The agent's signals say that it works: what it says is recorded from here on. */
  turnBegan(): void {
    this.#turns.began();
  }

  /** …and that it is done: by now we must have read something, else we read the wrong files. */
  turnEnded(): void {
    this.#turns.ended();
  }

  /** The thread of ours that was written to last. */
  get current(): string | undefined {
    return this.#current;
  }

  async close(): Promise<void> {
    this.#timer?.cancel();
    this.#turns.forget();
    if (this.#sink) this.#look();
    for (const thread of this.#threads.values()) await thread.tail.close();
    this.#sink = undefined;
  }

  #recent(): string[] {
    return recentRollouts(this.#options.folder, this.#options.clock.now());
  }

  #look(): void {
    for (const file of this.#recent()) {
      if (this.#threads.has(file) || this.#old.has(file)) continue;
      this.#follow(file, { ...UNDECIDED, from: 'start', wanted: () => true });
    }
  }

  #follow(file: string, { state, id, from, wanted }: Pick<Thread, 'state' | 'id'> & Followed): void {
    const { clock, log, positions } = this.#options;
    const line = (text: string, end: number) => {
      if (wanted(text)) this.#event(thread, parseRolloutLine(text));
      if (thread.state === 'ours' && this.#sink) positions.set(file, end);
    };
    const tail = new TranscriptTail(file, { clock, log, from, line });
    const thread: Thread = { tail, state, id, held: [], last: undefined };
    this.#threads.set(file, thread);
    tail.start();
  }

  #event(thread: Thread, event: RolloutEvent): void {
    if (thread.state === 'foreign') return;
    if (thread.state === 'ours') {
      this.#say(thread, event);
      return;
    }
    thread.held.push(event);
    const verdict = this.#judge(thread, event);
    if (verdict === 'undecided') return;
    thread.state = verdict;
    const held = thread.held;
    thread.held = [];
    if (verdict === 'foreign') {
      void thread.tail.close();
      return;
    }
    if (thread.id !== undefined) this.#ours.add(thread.id);
    this.#options.log.info('codex-thread', { file: thread.tail.file });
    this.#options.positions.set(thread.tail.file, 0);
    for (const one of held) this.#say(thread, one);
  }

  #judge(thread: Thread, event: RolloutEvent): Thread['state'] {
    const { briefing, cwds, source } = this.#options;
    switch (event.kind) {
      case 'thread':
        thread.id = event.id;
        if (event.forkedFrom !== undefined) return this.#ours.has(event.forkedFrom) ? 'ours' : 'foreign';
        if (event.source === undefined || (event.source === 'exec') !== (source === 'exec')) return 'foreign';
        if (briefing !== undefined) return 'undecided';
        return cwds.includes(event.cwd) ? 'ours' : 'foreign';
      case 'instructions':
        return briefing !== undefined && event.texts.some((text) => text.includes(briefing))
          ? 'ours'
          : 'undecided';
      case 'speech':
      case 'turn-end':
        // Instructions come before the first answer.
        return 'foreign';
      default:
        return 'undecided';
    }
  }

  #say(thread: Thread, event: RolloutEvent): void {
    this.#turns.record();
    this.#current = thread.id;
    if (event.kind !== 'other' && event.kind !== 'strange') this.#recognition.known();
    switch (event.kind) {
      case 'speech':
        thread.last = event.text;
        if (event.text !== '') this.#recognition.speech();
        this.#sink?.text(event.id, 0, event.text);
        this.#sink?.end(event.id);
        break;
      case 'prompt':
        this.#sink?.prompt?.(event.text);
        break;
      case 'turn-end':
        if (event.last !== undefined && event.last !== '' && event.last !== thread.last) {
          this.#fail('the rollout file ends a turn with a message that it does not hold');
        }
        break;
      case 'strange':
        this.#recognition.strange(event.reason);
        break;
      case 'unknown':
        this.#fail(`the rollout file is not as we know it: ${event.reason}`);
        break;
    }
  }

  /** A turn has ended, and what it left is on record. */
  #check(since: number): void {
    this.#look();
    if (!this.#sink) return;
    if (!this.#turns.recordedSince(since)) return this.#missed(since);
    const strange = this.#recognition.turnEnded();
    if (strange !== undefined) this.#fail(`the rollout file is not as we know it: ${strange}`);
  }

  /** A turn without a record of ours: the person resumed an older thread, or we cannot find what Codex writes. */
  #missed(since: number): void {
    const grown = this.#grownSince(since);
    const [thread] = grown;
    if (thread === undefined || grown.length > 1) {
      this.#fail(thread ? 'two rollout files may be ours' : 'no rollout file of ours was found');
      return;
    }
    this.#options.log.info('codex-thread-resumed', { file: thread.file });
    this.#ours.add(thread.id);
    const kept = this.#options.positions.get(thread.file);
    this.#follow(thread.file, {
      state: 'ours',
      id: thread.id,
      from: kept?.offset ?? 'start',
      wanted: (line) => {
        const at = timestampOf(line);
        // What an earlier wrapper of ours did not live to hear is heard now.
        return at >= since || (kept !== undefined && at <= kept.until);
      },
    });
  }

  /** Threads of our folder, not followed yet, that were written to since then. */
  #grownSince(since: number): { file: string; id: string }[] {
    const { folder, cwds } = this.#options;
    return rolloutsSince(folder, since).flatMap((file) => {
      const thread = this.#threads.has(file) ? undefined : threadOf(file, this.#options);
      const own = thread?.source !== undefined && cwds.includes(thread.cwd);
      return own ? [{ file, id: thread.id }] : [];
    });
  }

  #fail(reason: string): void {
    const sink = this.#sink;
    this.#sink = undefined;
    this.#timer?.cancel();
    this.#options.log.warn('codex-rollout-failed', { reason });
    sink?.failed(reason);
  }
}
