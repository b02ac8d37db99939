/** Sessions and their tokens as a fold over records. docs/protocol.md §Sessions (P7, P9, P10). Pure. */
import type { Capabilities, SessionRecord, TokenRecord } from './record.ts';

/** `closed` and `expired` are final. */
export type SessionState = 'pending' | 'active' | 'disconnected' | 'closed' | 'expired';

/** Superseded handoff tokens of a session that are still answered with TOKEN_USED. */
const MAX_SPENT = 4;

/** Resume tokens of a session that are good at once: those of WELCOMEs that nobody answered. */
const MAX_RESUME = 8;

/** What of a session is promised, and so recorded. */
export interface SavedSession {
  readonly id: string;
  readonly name: string;
  readonly createdAt: number;
  /** Counts its changes (record.ts). */
  version: number;
  state: SessionState;
  /** The handoff token that is good now (P7). */
  handoff?: (TokenRecord & { used: boolean }) | undefined;
  /** Hashes of the last ones before it. */
  spent: string[];
  /** Hash of the handoff token by which its connection came, until that is used up (P7). */
  enteredBy?: string | undefined;
  /** Hashes of the resume tokens that are good, the fresh one last. */
  resume: string[];
  /** Hash of the token of the agent's children (P10). */
  scoped?: string | undefined;
  injects: boolean;
  can?: Capabilities | undefined;
  reconnects: number;
  connectedAt?: number;
  disconnectedAt?: number;
  closedAt?: number;
  /** Wall clock, ms. */
  lastActivity: number;
}

export interface Session extends SavedSession {
  /** Monotonic, ms: when it lost its connection in this reign, so that no jump of the wall clock prolongs its lease. */
  leftAt?: number;
  /** Counters of this reign. */
  sent: number;
  received: number;
}

export const isLive = (session: Session): boolean =>
  session.state === 'pending' || session.state === 'active' || session.state === 'disconnected';

export class SessionTable {
  readonly #sessions = new Map<string, Session>();
  /** Sessions that are not final, by name. */
  readonly #names = new Map<string, Set<Session>>();
  /** Hash of any token ever given for a session that we still know → that session. */
  readonly #tokens = new Map<string, Session>();

  get(id: string): Session | undefined {
    return this.#sessions.get(id);
  }

  /** By the hash of a token, good or used up. */
  byToken(hash: string): Session | undefined {
    return this.#tokens.get(hash);
  }

  /** Sessions of the name that are pending, active or disconnected. */
  ofName(name: string): Session[] {
    return [...(this.#names.get(name) ?? [])];
  }

  /** The session that holds the name: the active one, else the one that was connected last. */
  holder(name: string): Session | undefined {
    let held: Session | undefined;
    for (const session of this.#names.get(name) ?? []) {
      if (session.state === 'active') return session;
      if (session.state === 'disconnected') held = session;
    }
    return held;
  }

  /** Everything known, final ones included. */
  all(): Iterable<Session> {
    return this.#sessions.values();
  }

  apply(record: SessionRecord): Session | undefined {
    if (record.t === 'opened') return this.#open(record);
    const session = this.#sessions.get(record.session);
    if (session === undefined || !isLive(session) || record.v <= session.version) return session;
    session.version = record.v;
    switch (record.t) {
      case 'token':
        this.#spend(session);
        session.handoff = { ...record.token, used: false };
        this.#tokens.set(record.token.hash, session);
        if (record.reconnect) session.reconnects++;
        this.#setScoped(session, record.scoped);
        break;
      case 'active':
        session.state = 'active';
        session.connectedAt ??= record.at;
        session.lastActivity = record.at;
        session.injects = record.injects;
        session.can = record.can;
        session.enteredBy = record.handoff;
        this.#giveResume(session, record.resume, record.resumed);
        this.#setScoped(session, record.scoped);
        break;
      case 'answered':
        // A token that was given meanwhile is not the one that led here.
        if (session.handoff && session.handoff.hash === session.enteredBy) session.handoff.used = true;
        session.enteredBy = undefined;
        // Used ones are forgotten: to us they are unknown, and the answer is RESUME_TOO_OLD (P7).
        this.#keepResume(session, session.resume.slice(-1));
        session.reconnects = 0;
        break;
      case 'left':
        session.state = 'disconnected';
        session.disconnectedAt = record.at;
        break;
      case 'closed':
      case 'expired':
        session.state = record.t;
        session.closedAt = record.at;
        this.#retire(session);
        break;
    }
    return session;
  }

  /** What is to be kept of a session in a snapshot. */
  static save({ sent: _sent, received: _received, leftAt: _leftAt, ...saved }: Session): SavedSession {
    return saved;
  }

  /** Takes a session back from a snapshot; one that is known already is at least as new. */
  restore(saved: SavedSession): void {
    if (this.#sessions.has(saved.id)) return;
    const session: Session = { ...saved, sent: 0, received: 0 };
    this.#sessions.set(session.id, session);
    if (isLive(session)) this.#enlist(session);
    for (const hash of this.#hashesOf(session)) this.#tokens.set(hash, session);
  }

  /** Forgets a final session: its tokens become unknown. */
  forget(session: Session): void {
    this.#sessions.delete(session.id);
    for (const hash of this.#hashesOf(session)) this.#tokens.delete(hash);
  }

  #open(record: Extract<SessionRecord, { t: 'opened' }>): Session {
    const known = this.#sessions.get(record.session);
    if (known !== undefined) return known;
    const session: Session = {
      id: record.session,
      name: record.name,
      createdAt: record.at,
      version: 1,
      state: 'pending',
      spent: [],
      resume: [],
      injects: false,
      reconnects: 0,
      lastActivity: record.at,
      sent: 0,
      received: 0,
    };
    this.#sessions.set(session.id, session);
    this.#enlist(session);
    if (record.token) {
      session.handoff = { ...record.token, used: false };
      this.#tokens.set(record.token.hash, session);
    }
    this.#setScoped(session, record.scoped);
    return session;
  }

  #setScoped(session: Session, hash: string | undefined): void {
    if (hash === undefined || hash === session.scoped) return;
    if (session.scoped !== undefined) this.#tokens.delete(session.scoped);
    session.scoped = hash;
    this.#tokens.set(hash, session);
  }

  /** A fresh resume token. Whoever came by one has read no WELCOME since, so that no other is any use. */
  #giveResume(session: Session, fresh: string, resumed: string | undefined): void {
    if (resumed !== undefined) this.#keepResume(session, [resumed]);
    const [first, ...later] = session.resume;
    // The first is the one that was answered, and surely in its client's hands.
    if (later.length >= MAX_RESUME - 1) this.#keepResume(session, [first as string, ...later.slice(1)]);
    session.resume.push(fresh);
    this.#tokens.set(fresh, session);
  }

  #keepResume(session: Session, kept: string[]): void {
    for (const hash of session.resume) if (!kept.includes(hash)) this.#tokens.delete(hash);
    session.resume = kept;
  }

  #spend(session: Session): void {
    if (session.handoff === undefined) return;
    session.spent.push(session.handoff.hash);
    if (session.spent.length > MAX_SPENT) this.#tokens.delete(session.spent.shift() as string);
  }

  #enlist(session: Session): void {
    const named = this.#names.get(session.name) ?? new Set();
    this.#names.set(session.name, named.add(session));
  }

  #retire(session: Session): void {
    const named = this.#names.get(session.name);
    named?.delete(session);
    if (named?.size === 0) this.#names.delete(session.name);
  }

  #hashesOf(session: Session): string[] {
    const { handoff, scoped, spent, resume } = session;
    return [handoff?.hash, scoped, ...spent, ...resume].filter((hash) => hash !== undefined);
  }
}
