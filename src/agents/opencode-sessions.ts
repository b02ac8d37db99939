/**
 * Follows opencode's events: what the model says in the person's own sessions (no sub-agent, summary, title or
 * reasoning), what it is asked, and whether it works. Pure. Seen in opencode 1.18.33. real-agents.md §5.
 */
import type { AgentState, SpeechSink } from './adapter.ts';
import { type Choice, type OpencodeEvent, orderOf, type SessionInfo } from './opencode-event.ts';
import type { Kept } from './positions.ts';

/** Messages whose role is remembered: far more than can be under way. */
const MAX_MESSAGES = 1000;

/** Events kept of a session until the server has said whose it is, or what was missed in it. */
const MAX_HELD = 10_000;

/** A text of the model while it is written. */
interface Part {
  /** UTF-16 units handed on. */
  said: number;
  /** We missed some of it: only its whole text counts, pieces may repeat what we have. */
  whole: boolean;
}

/** Where a prompt of ours is to go. */
export interface Target {
  session: SessionInfo;
  choice: Choice;
}

/** An event that has to wait, and the time that limits it (see `catchUp`). */
interface Held {
  event: OpencodeEvent;
  since: number | undefined;
}

export interface SessionsOptions {
  /** Messages begun before (milliseconds since the epoch) are of another run. */
  started: number;
  sink: Required<Pick<SpeechSink, 'text' | 'end' | 'prompt'>>;
  /**
   * The first message of this run stands in a session of the person's. True: something was missed in it, and
   * it waits until `goOn()`.
   */
  entered(session: string, message: string): boolean;
  /** All that the model said in this session, up to this part, was handed on. */
  told(session: string, part: string): void;
  /** Of this session we know nothing: `session()` is to be called with what the server says of it. */
  lookUp(session: string): void;
  /** The state may be another. */
  changed(): void;
}

export class OpencodeSessions {
  readonly #options: SessionsOptions;
  readonly #sessions = new Map<string, SessionInfo>();
  readonly #held = new Map<string, Held[]>();
  /** Sessions with messages of this run; `waits`: until what was missed in them has been told. */
  readonly #entered = new Map<string, 'waits' | 'goes-on'>();
  readonly #roles = new Map<string, 'user' | 'speech' | 'other'>();
  readonly #parts = new Map<string, Part>();
  readonly #busy = new Set<string>();
  /** Open questions (permissions and the like) and the session of each. */
  readonly #asked = new Map<string, string>();
  /** Where the person's newest prompt went. */
  #current: { session: string; choice: Choice } | undefined;

  constructor(options: SessionsOptions) {
    this.#options = options;
  }

  get state(): Extract<AgentState, 'ready' | 'busy' | 'dialog'> {
    if (this.#asked.size > 0) return 'dialog';
    const busy = this.#current ? this.#busy.has(this.#current.session) : this.#busy.size > 0;
    return busy ? 'busy' : 'ready';
  }

  /** The session of the newest prompt and what was chosen for it. */
  get target(): Target | undefined {
    const session = this.#current && this.#sessions.get(this.#current.session);
    return session && this.#current && { session, choice: this.#current.choice };
  }

  /** Takes an event as it happens. */
  push(event: OpencodeEvent): void {
    this.#take(event, undefined);
  }

  /**
   * Takes what the server has stored, after events were missed: messages begun at `since` (milliseconds since
   * the epoch) or later speak, and texts under way are completed.
   */
  catchUp(events: readonly OpencodeEvent[], since: number): void {
    for (const part of this.#parts.values()) part.whole = true;
    for (const event of events) this.#take(event, since);
  }

  /** Tells what an earlier wrapper of ours did not live to hear, of what the server has stored of a session. */
  tellMissed(session: string, stored: readonly OpencodeEvent[], { offset, until }: Kept): void {
    const { started, sink, told } = this.#options;
    const missed = new Set<string>();
    for (const event of stored) {
      if (event.kind === 'message' && event.role === 'assistant' && !event.summary) {
        if (event.created <= until && event.created < started) missed.add(event.id);
      } else if (event.kind === 'text' && missed.has(event.message) && orderOf(event.part) > offset) {
        // What nobody writes to its end any more is speech as far as its lines are whole.
        const text = event.ended ? event.text : event.text.slice(0, event.text.lastIndexOf('\n') + 1);
        if (text !== '') sink.text(event.part, 0, text);
        sink.end(event.part);
        told(session, event.part);
      }
    }
  }

  /** What was missed in it has been told. */
  goOn(session: string): void {
    this.#entered.set(session, 'goes-on');
    this.#release(session);
  }

  /** The sessions at work, after events were missed. What is asked then, the screen tells. */
  setBusy(sessions: readonly string[]): void {
    this.#busy.clear();
    for (const session of sessions) this.#busy.add(session);
    this.#asked.clear();
    this.#options.changed();
  }

  /** The server does not know it (any more): what was held of it is dropped. */
  unknown(session: string): void {
    this.#held.delete(session);
  }

  #take(event: OpencodeEvent, since: number | undefined): void {
    if (event.kind === 'session') {
      this.#session(event.session);
      return;
    }
    if (event.kind === 'message' || event.kind === 'text' || event.kind === 'delta') {
      const session = this.#sessions.get(event.session);
      if (!session || this.#entered.get(event.session) === 'waits') this.#hold(event, since);
      else if (session.parent === undefined) this.#own(event, since);
      return;
    }
    if (event.kind === 'status') this.#status(event.session, event.busy);
    else if (event.kind === 'asked') this.#asked.set(event.request, event.session);
    else if (event.kind === 'answered') this.#asked.delete(event.request);
    this.#options.changed();
  }

  #session(session: SessionInfo): void {
    this.#sessions.set(session.id, session);
    if (this.#entered.get(session.id) !== 'waits') this.#release(session.id);
  }

  #release(session: string): void {
    const held = this.#held.get(session) ?? [];
    this.#held.delete(session);
    for (const { event, since } of held) this.#take(event, since);
  }

  #hold(event: Extract<OpencodeEvent, { session: string }>, since: number | undefined): void {
    const held = this.#held.get(event.session);
    if (!held) {
      this.#held.set(event.session, [{ event, since }]);
      if (!this.#sessions.has(event.session)) this.#options.lookUp(event.session);
    } else if (held.length < MAX_HELD) held.push({ event, since });
  }

  /** At its first message of this run; true if that has to wait. */
  #waits(event: Extract<OpencodeEvent, { kind: 'message' }>): boolean {
    const { session, id, created } = event;
    if (created < this.#options.started || this.#entered.has(session)) return false;
    const waits = this.#options.entered(session, id);
    this.#entered.set(session, waits ? 'waits' : 'goes-on');
    return waits;
  }

  #own(
    event: Extract<OpencodeEvent, { kind: 'message' | 'text' | 'delta' }>,
    since: number | undefined,
  ): void {
    switch (event.kind) {
      case 'message':
        if (this.#waits(event)) this.#hold(event, since);
        else this.#message(event, since);
        break;
      case 'text':
        this.#text(event, since);
        break;
      case 'delta': {
        const part = this.#parts.get(event.part);
        if (part && !part.whole) this.#say(event.part, part, event.text);
        break;
      }
    }
  }

  #message(event: Extract<OpencodeEvent, { kind: 'message' }>, since: number | undefined): void {
    const old = since !== undefined && event.created < since && !this.#roles.has(event.id);
    const role = event.role === 'user' ? 'user' : event.summary ? 'other' : 'speech';
    this.#roles.set(event.id, old ? 'other' : role);
    if (this.#roles.size > MAX_MESSAGES) this.#roles.delete(this.#roles.keys().next().value as string);
    if (event.role !== 'user' || old) return;
    this.#current = { session: event.session, choice: event.choice };
    this.#options.changed();
  }

  #text(event: Extract<OpencodeEvent, { kind: 'text' }>, since: number | undefined): void {
    const role = this.#roles.get(event.message);
    if (role === 'user' && !event.synthetic) this.#options.sink.prompt(event.text);
    if (role !== 'speech') return;
    let part = this.#parts.get(event.part);
    if (!part) {
      // What the model writes begins empty; a text that is there at once was copied (a fork) or made up.
      if (since === undefined && event.text !== '') return;
      part = { said: 0, whole: since !== undefined };
      this.#parts.set(event.part, part);
    }
    if (event.text.length > part.said) this.#say(event.part, part, event.text.slice(part.said));
    if (!event.ended) return;
    this.#parts.delete(event.part);
    this.#options.sink.end(event.part);
    this.#options.told(event.session, event.part);
  }

  #say(id: string, part: Part, text: string): void {
    this.#options.sink.text(id, part.said, text);
    part.said += text.length;
  }

  #status(session: string, busy: boolean): void {
    if (busy) {
      this.#busy.add(session);
      return;
    }
    this.#busy.delete(session);
    // An answer that was broken off takes its questions with it.
    for (const [request, of] of this.#asked) if (of === session) this.#asked.delete(request);
  }
}
