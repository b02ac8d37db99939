/**
 * Gemini CLI's speech: the chat files of our own sessions, among those of all agents in this folder. A session
 * is ours if we named it (`--session-id`), or if what was typed here stands in it. real-agents.md §5.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock, Timer } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { SpeechSink, SpeechSource } from './adapter.ts';
import { type ChatLine, parseChatLine } from './gemini-chat.ts';
import type { Drafts } from './gemini-drafts.ts';
import { TranscriptTail } from './transcript-tail.ts';

/** Milliseconds between looks for the file of our session. */
const LOOK_MS = 250;

/** Milliseconds after the start or end of a turn in which its record must have come. */
const RECORD_MS = 1_500;

/** Milliseconds by which a prompt may be older than the signal that its turn began. */
const EARLIER_MS = 500;

/** …on a machine so busy that we read the signal late. */
const MUCH_EARLIER_MS = 5_000;

export interface GeminiChatsOptions {
  /** `~/.gemini/tmp`: a folder for each project. */
  folder: string;
  /** The project: as given, and resolved. */
  cwds: readonly string[];
  /** The session we named, if we could. */
  session: string | undefined;
  drafts: Drafts;
  clock: Clock;
  log: Log;
}

export class GeminiChats implements SpeechSource {
  readonly kind = 'transcript';
  readonly #options: GeminiChatsOptions;
  readonly #tails = new Map<string, TranscriptTail>();
  /** Messages handed on, by id and by time and text: some are written again, some under another id. */
  readonly #said = new Set<string>();
  #sink: SpeechSink | undefined;
  #look: Timer | undefined;
  #deadline: Timer | undefined;
  /** When the running turn began (wall clock); undefined between turns. */
  #turnBegan: number | undefined;
  /** When the newest prompt of ours was written (wall clock). */
  #prompted = 0;

  constructor(options: GeminiChatsOptions) {
    this.#options = options;
  }

  start(sink: SpeechSink): void {
    this.#sink = sink;
    if (this.#options.session === undefined) return;
    this.#look = this.#options.clock.every(LOOK_MS, () => this.#findNamed(), { unref: true });
  }

  /** The agent's signals say that it works: its prompt must be on record soon. */
  turnBegan(): void {
    if (this.#turnBegan !== undefined) return;
    const began = this.#options.clock.now();
    this.#turnBegan = began;
    this.#await(() => this.#missed(began, 'running'));
  }

  /** …and that it is done. */
  turnEnded(): void {
    const began = this.#turnBegan;
    if (began === undefined) return;
    this.#turnBegan = undefined;
    this.#await(() => this.#missed(began, 'over'));
  }

  async close(): Promise<void> {
    this.#look?.cancel();
    this.#deadline?.cancel();
    for (const tail of this.#tails.values()) await tail.close();
    this.#sink = undefined;
  }

  #await(look: () => void): void {
    this.#deadline?.cancel();
    this.#deadline = this.#options.clock.after(RECORD_MS, look, { unref: true });
  }

  /** The file of the session we named: its name ends in the beginning of the session's. */
  #findNamed(): void {
    const { session = '' } = this.#options;
    const named = (file: string) => file.endsWith(`-${session.slice(0, 8)}.jsonl`);
    const file = chatFiles(this.#options).find(
      (one) => named(one) && sessionOf(one, this.#options) === session,
    );
    if (file === undefined) return;
    this.#look?.cancel();
    this.#follow(file, Number.NEGATIVE_INFINITY);
  }

  /** Hands on what the file says from `since` (milliseconds since the epoch) on. */
  #follow(file: string, since: number): void {
    if (this.#tails.has(file)) return;
    const { clock, log } = this.#options;
    log.info('gemini-chat', { file });
    const line = (text: string) => this.#line(parseChatLine(text), since);
    const tail = new TranscriptTail(file, { clock, log, from: 'start', line });
    this.#tails.set(file, tail);
    tail.start();
  }

  #line(line: ChatLine, since: number): void {
    if (line.kind !== 'speech' && line.kind !== 'prompt') return;
    if (line.at < since) return;
    const copy = `${line.at} ${line.text}`;
    if (this.#said.has(line.id) || this.#said.has(copy)) return;
    this.#said.add(line.id).add(copy);
    if (line.kind === 'prompt') {
      this.#prompted = Math.max(this.#prompted, line.at);
      this.#sink?.prompt?.(line.text);
      return;
    }
    this.#sink?.text(line.id, 0, line.text);
    this.#sink?.end(line.id);
  }

  /** Is the prompt of this turn on record? If not, the person began or resumed another session. */
  #missed(began: number, turn: 'running' | 'over'): void {
    if (!this.#sink || this.#prompted >= began - EARLIER_MS) return;
    const since = began - MUCH_EARLIER_MS;
    const grown = chatFiles(this.#options).filter(
      (file) => !this.#tails.has(file) && changedSince(file, since),
    );
    const [file, ...more] = grown.filter((one) => this.#typedHere(one, since));
    if (file !== undefined && more.length === 0) {
      this.#follow(file, since);
      return;
    }
    // A command (/compress) or a shell line (!) has a turn, and no record.
    if (turn === 'running' || /^[/!]/.test(this.#options.drafts.last ?? '/')) return;
    if (this.#tails.size > 0 && (grown.length === 0 || this.#prompted >= since)) return;
    this.#fail(file === undefined ? 'no chat file has what was typed here' : 'two chat files may be ours');
  }

  #typedHere(file: string, since: number): boolean {
    return readLines(file, this.#options).some(
      (line) => line.kind === 'prompt' && line.at >= since && this.#options.drafts.match(line.text),
    );
  }

  #fail(reason: string): void {
    const sink = this.#sink;
    void this.close();
    this.#options.log.warn('gemini-chats-failed', { reason });
    sink?.failed(reason);
  }
}

/** The chat files of the person's own sessions in our project; those of sub-agents lie deeper. */
function chatFiles({ folder, cwds }: GeminiChatsOptions): string[] {
  return list(folder)
    .filter((project) => cwds.includes(read(join(project, '.project_root')).trim()))
    .flatMap((project) => list(join(project, 'chats')))
    .filter((file) => /[\\/]session-[^\\/]*\.jsonl$/.test(file));
}

const list = (folder: string): string[] => {
  try {
    return readdirSync(folder).map((name) => join(folder, name));
  } catch {
    return [];
  }
};

const read = (file: string): string => {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
};

const changedSince = (file: string, at: number): boolean =>
  (statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0) >= at;

function readLines(file: string, { clock, log }: GeminiChatsOptions): ChatLine[] {
  const lines: ChatLine[] = [];
  const line = (text: string) => lines.push(parseChatLine(text));
  new TranscriptTail(file, { clock, log, from: 'start', line }).read();
  return lines;
}

function sessionOf(file: string, options: GeminiChatsOptions): string | undefined {
  const first = readLines(file, options).find((line) => line.kind === 'session');
  return first?.kind === 'session' && first.main ? first.id : undefined;
}
