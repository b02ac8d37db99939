/**
 * What the agent says → directives, from the best source of its words that works: its own hooks,
 * transcript or API, else its screen. real-agents.md "What we decide from it" 1.
 */
import type { SpeechKind, SpeechSource } from '../agents/adapter.ts';
import type { Log } from '../base/log.ts';
import type { Directive, Found, Rejection } from '../extract/directive.ts';
import { Extractor } from '../extract/extractor.ts';
import { derivedId, newId } from '../protocol/ids.ts';

/** A directive and the id of its SEND: the same words of the same message give the same id (P15). */
export interface Said {
  directive: Directive;
  id: string;
}

export interface HearingHandlers {
  said(said: Said): void;
  /** The agent has taken this prompt. */
  prompted(text: string): void;
  /** Its words come from elsewhere now, or from nowhere. */
  sourceChanged(): void;
}

/** Lines after which an unclosed fence on a screen ends: there a message has no end (P26). */
const SCREEN_FENCE_LINES = 200;
/** Messages whose position is remembered: a source repeats only what it said lately. */
const REMEMBERED = 1_000;

interface Message {
  extractor: Extractor;
  /** UTF-16 code units heard so far. */
  heard: number;
  ended: boolean;
}

export class Hearing {
  readonly #sources: readonly SpeechSource[];
  readonly #handlers: HearingHandlers;
  readonly #readScreen: boolean;
  readonly #log: Log;
  readonly #messages = new Map<string, Message>();
  readonly #screen: Extractor;
  /** Index of the source in use; one behind the last is the screen. */
  #current = 0;

  /**
   * `readScreen`: may the screen be the last resort? Not of a TUI that renders Markdown: what it shows as a
   * directive is an example, and the true ones it does not show (real-agents.md §3).
   */
  constructor(
    sources: readonly SpeechSource[],
    options: { readScreen: boolean; log: Log },
    handlers: HearingHandlers,
  ) {
    this.#sources = sources;
    this.#handlers = handlers;
    this.#readScreen = options.readScreen;
    this.#log = options.log;
    const onReject = (rejection: Rejection) => this.#rejected('screen', rejection);
    this.#screen = new Extractor({ onReject, fenceLines: SCREEN_FENCE_LINES, plain: true });
  }

  /** Where we get the agent's words now; `none`: no source works, and the screen would mislead us. */
  get kind(): SpeechKind | 'none' {
    return this.#sources[this.#current]?.kind ?? (this.#readScreen ? 'screen' : 'none');
  }

  start(): void {
    const source = this.#sources[this.#current];
    if (source === undefined) {
      if (this.#readScreen) this.#log.info('speech.source', { kind: 'screen' });
      else
        this.#log.error('speech.deaf', { suggestion: 'try --speech screen, and report the agent’s version' });
      return;
    }
    const index = this.#current;
    this.#log.info('speech.source', { kind: source.kind });
    source.start({
      text: (message, offset, text) => this.#text(message, offset, text),
      block: (message) => this.#block(message),
      end: (message) => this.#end(message),
      prompt: (text) => this.#handlers.prompted(text),
      failed: (reason) => {
        if (this.#current !== index) return;
        this.#log.warn('speech.failed', { kind: source.kind, reason });
        void source.close();
        this.#current++;
        this.start();
        this.#handlers.sourceChanged();
      },
    });
  }

  /** Settled logical lines of the screen, each with its line feed: speech only while no better source works. */
  screen(lines: string): void {
    if (this.kind !== 'screen') return;
    for (const { directive } of this.#screen.push(lines)) this.#handlers.said({ directive, id: newId() });
  }

  /** The agent is gone: what its sources still hold is read, and nothing waits for a line's end any more. */
  async close(): Promise<void> {
    const source = this.#sources[this.#current];
    await source?.close();
    for (const message of this.#messages.keys()) this.#end(message);
    if (source !== undefined) return;
    for (const { directive } of this.#screen.flush()) this.#handlers.said({ directive, id: newId() });
  }

  #text(id: string, offset: number, text: string): void {
    const message = this.#message(id);
    if (message.ended || offset + text.length <= message.heard) return;
    if (offset > message.heard) {
      this.#log.warn('speech.gap', { message: id, expected: message.heard, offset });
      // What was missed may have opened a block or a fence: what follows starts on a clean line.
      this.#said(id, message.extractor.flush());
      message.extractor.skip(offset - message.heard);
      message.heard = offset;
    }
    const fresh = text.slice(message.heard - offset);
    message.heard = offset + text.length;
    this.#said(id, message.extractor.push(fresh));
  }

  #block(id: string): void {
    const message = this.#messages.get(id);
    if (message !== undefined && !message.ended) this.#said(id, message.extractor.flush());
  }

  #end(id: string): void {
    const message = this.#messages.get(id);
    if (message === undefined || message.ended) return;
    message.ended = true;
    this.#said(id, message.extractor.flush());
  }

  #said(id: string, found: readonly Found[]): void {
    for (const { directive, offset } of found) {
      this.#handlers.said({ directive, id: derivedId('speech', id, String(offset)) });
    }
  }

  #message(id: string): Message {
    const known = this.#messages.get(id);
    if (known !== undefined) return known;
    const extractor = new Extractor({ onReject: (rejection) => this.#rejected(id, rejection) });
    const message = { extractor, heard: 0, ended: false };
    this.#messages.set(id, message);
    if (this.#messages.size > REMEMBERED) this.#messages.delete(this.#messages.keys().next().value as string);
    return message;
  }

  #rejected(message: string, rejection: Rejection): void {
    this.#log.warn('speech.rejected', { message, ...rejection });
  }
}
