/**
 * Gemini CLI's speech: the chat files of our own sessions, among those of all agents in this folder. A session
 * is ours if we named it (`--session-id`), or if what was typed here stands in it. real-agents.md §5.
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock, Timer } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { SpeechSink, SpeechSource } from './adapter.ts';
import { filesIn, textOf } from './agent-files.ts';
import { type ChatLine, parseChatLine } from './gemini-chat.ts';
import type { Drafts } from './gemini-drafts.ts';
import type { Kept, Positions } from './positions.ts';
import { Recognition } from './recognition.ts';
import { TranscriptTail } from './transcript-tail.ts';

/** Milliseconds between looks for files of ours. */
const LOOK_MS = 250;

/** Milliseconds in which a prompt must be on record in the file we follow: then it is not in another's. */
const RECORD_MS = 1_500;

/** Messages kept of a file that is not ours so far. */
const MAX_HELD = 1_000;

export interface GeminiChatsOptions {
  /** `~/.gemini/tmp`: a folder for each project. */
  folder: string;
  /** The project: as given, and resolved. */
  cwds: readonly string[];
  /** The session we named, if we could. */
  session: string | undefined;
  drafts: Drafts;
  positions: Positions;
  clock: Clock;
  log: Log;
}

/** One chat file while we read it. */
interface Chat {
  tail: TranscriptTail;
  ours: boolean;
  /** What stands in it until it is ours. */
  held: Said[];
  /** Bytes read of it. */
  read: number;
  /** Where an earlier wrapper of ours was killed in it. */
  kept: Kept | undefined;
  /** What that wrapper did not live to hear. */
  missed: Said[];
}

type Said = Extract<ChatLine, { kind: 'speech' | 'prompt' }>;

export class GeminiChats implements SpeechSource {
  readonly kind = 'transcript';
  readonly #options: GeminiChatsOptions;
  readonly #chats = new Map<string, Chat>();
  /** Messages handed on, by id and by time and text: some are written again, some under another id. */
  readonly #said = new Set<string>();
  readonly #recognition = new Recognition();
  /** What is older was said in another run (wall clock). */
  readonly #started: number;
  #sink: SpeechSink | undefined;
  #timer: Timer | undefined;
  #deadline: Timer | undefined;

  constructor(options: GeminiChatsOptions) {
    this.#options = options;
    this.#started = options.clock.now();
  }

  start(sink: SpeechSink): void {
    this.#sink = sink;
    this.#timer = this.#options.clock.every(LOOK_MS, () => this.#look(), { unref: true });
  }

  /** The agent's signals say that it has answered: what it said is on record soon. */
  turnEnded(): void {
    this.#deadline?.cancel();
    this.#deadline = this.#options.clock.after(2 * RECORD_MS, () => this.#check(), { unref: true });
  }

  #check(): void {
    const found = [...this.#chats.values()].some((chat) => chat.ours);
    const strange = found ? this.#recognition.turnEnded() : undefined;
    if (!found) this.#fail('no chat file of ours was found');
    else if (strange !== undefined) this.#fail(`the chat file is not as we know it: ${strange}`);
  }

  async close(): Promise<void> {
    this.#timer?.cancel();
    this.#deadline?.cancel();
    if (this.#sink) this.#look();
    for (const chat of this.#chats.values()) await chat.tail.close();
    this.#sink = undefined;
  }

  #look(): void {
    for (const file of chatFiles(this.#options)) {
      const changed = statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
      if (!this.#chats.has(file) && changed >= this.#started) this.#read(file);
    }
    const typed = [...this.#chats.values()].flatMap((chat) => {
      const prompt = chat.ours ? undefined : chat.held.find((line) => this.#isTypedHere(line));
      return prompt ? [{ chat, since: prompt.at }] : [];
    });
    const [first, ...more] = typed;
    if (more.length > 0) this.#fail('two chat files may be ours');
    else if (first) this.#adopt(first.chat, first.since);
  }

  #read(file: string): void {
    const { clock, log, positions } = this.#options;
    const line = (text: string, end: number) => {
      this.#line(chat, parseChatLine(text), end);
      chat.read = end;
      if (chat.ours && this.#sink) this.#options.positions.set(file, end);
    };
    const tail = new TranscriptTail(file, { clock, log, from: 'start', line });
    const kept = positions.get(file);
    const chat: Chat = { tail, ours: false, held: [], read: 0, kept, missed: [] };
    this.#chats.set(file, chat);
    tail.start();
  }

  #line(chat: Chat, line: ChatLine, end: number): void {
    if (line.kind === 'session') {
      if (line.main && line.id === this.#options.session) this.#adopt(chat, this.#started);
    } else if (line.kind === 'strange') {
      if (chat.ours) this.#recognition.strange(line.reason);
    } else if (line.kind !== 'other' && line.at >= this.#started) {
      if (chat.ours) this.#say(line);
      else if (chat.held.push(line) > MAX_HELD) chat.held.shift();
    } else if (line.kind === 'speech' && chat.kept !== undefined) {
      // Some messages are written again: what stands before the position was heard.
      if (end <= chat.kept.offset) this.#said.add(line.id).add(copyOf(line));
      else if (line.at <= chat.kept.until && !chat.ours) chat.missed.push(line);
    }
  }

  /** The person began or resumed another session, and typed this into it. */
  #isTypedHere(line: Said): boolean {
    const settled = line.at <= this.#options.clock.now() - RECORD_MS;
    return line.kind === 'prompt' && settled && this.#options.drafts.match(line.text);
  }

  /** The file is ours; what stands in it since then (milliseconds since the epoch) was said to us. */
  #adopt(chat: Chat, since: number): void {
    if (chat.ours) return;
    chat.ours = true;
    this.#options.log.info('gemini-chat', { file: chat.tail.file });
    this.#options.positions.set(chat.tail.file, chat.kept?.offset ?? chat.read);
    for (const line of chat.missed.splice(0)) this.#say(line);
    const held = chat.held;
    chat.held = [];
    for (const line of held) if (line.at >= since) this.#say(line);
  }

  #say(line: Said): void {
    const copy = copyOf(line);
    if (this.#said.has(line.id) || this.#said.has(copy)) return;
    this.#said.add(line.id).add(copy);
    if (line.kind === 'prompt') {
      this.#recognition.known();
      this.#options.drafts.settle(line.text);
      this.#sink?.prompt?.(line.text);
      return;
    }
    this.#recognition.speech();
    this.#sink?.text(line.id, 0, line.text);
    this.#sink?.end(line.id);
  }

  #fail(reason: string): void {
    const sink = this.#sink;
    this.#sink = undefined;
    void this.close();
    this.#options.log.warn('gemini-chats-failed', { reason });
    sink?.failed(reason);
  }
}

/** A message that was written again under another id is known by this. */
const copyOf = (line: Said): string => `${line.at} ${line.text}`;

/** The chat files of the person's own sessions in our project; those of sub-agents lie deeper. */
function chatFiles({ folder, cwds }: GeminiChatsOptions): string[] {
  return filesIn(folder)
    .filter((project) => cwds.includes(textOf(join(project, '.project_root')).trim()))
    .flatMap((project) => filesIn(join(project, 'chats')))
    .filter((file) => /[\\/]session-[^\\/]*\.jsonl$/.test(file));
}
