/**
 * Follows opencode's events: what the model says in the person's own sessions (no sub-agent, summary, title or
 * reasoning), what it is asked, and whether it works. Pure. Seen in opencode 1.18.33. real-agents.md §5.
 */
import type { AgentState, SpeechSink } from './adapter.ts';
import type { Choice, OpencodeEvent, SessionInfo } from './opencode-event.ts';

/** Messages whose role is remembered: far more than can be under way. */
const MAX_MESSAGES = 1000;

/** Events kept of a session until the server has said whose it is. */
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

export interface SessionsOptions {
  sink: Required<Pick<SpeechSink, 'text' | 'end' | 'prompt'>>;
  /** Of this session we know nothing: `session()` is to be called with what the server says of it. */
  lookUp(session: string): void;
  /** The state may be another. */
  changed(): void;
}

export class OpencodeSessions {
  readonly #options: SessionsOptions;
  readonly #sessions = new Map<string, SessionInfo>();
  readonly #held = new Map<string, OpencodeEvent[]>();
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
      if (!session) this.#hold(event);
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
    const held = this.#held.get(session.id) ?? [];
    this.#held.delete(session.id);
    for (const event of held) this.push(event);
  }

  #hold(event: Extract<OpencodeEvent, { session: string }>): void {
    const held = this.#held.get(event.session);
    if (!held) {
      this.#held.set(event.session, [event]);
      this.#options.lookUp(event.session);
    } else if (held.length < MAX_HELD) held.push(event);
  }

  #own(
    event: Extract<OpencodeEvent, { kind: 'message' | 'text' | 'delta' }>,
    since: number | undefined,
  ): void {
    switch (event.kind) {
      case 'message':
        this.#message(event, since);
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
