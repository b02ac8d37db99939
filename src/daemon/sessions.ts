/** The rules of sessions: who may open, take up, take over and end one. docs/protocol.md §4 (P7–P10). */
import { type ErrorCode, RelayError } from '../base/errors.ts';
import type { Payload } from '../protocol/payloads.ts';
import { Names } from './names.ts';
import type { Capabilities, TokenRecord } from './record.ts';
import type { Relay } from './relay.ts';
import { endOf } from './session-end.ts';
import { isLive, type Session } from './session-table.ts';
import { proofOf } from './token-proof.ts';
import { hashToken, mintSessionId, mintToken, type RandomBytes, tokenId } from './tokens.ts';

export interface Handoff {
  session: Session;
  token: string;
  tokenId: string;
  /** Wall clock, ms. */
  until: number;
}

export interface Admission {
  session: Session;
  resumeToken: string;
  /** Said before WELCOME: the resume token was unknown, this is a new session (P7). */
  notice?: RelayError;
}

const refuse = (code: ErrorCode, message: string): never => {
  throw new RelayError(code, message);
};

const scopedBy = (hash: string | undefined): { scoped?: string } =>
  hash === undefined ? {} : { scoped: hash };

/** Nothing for a client that declares nothing. */
const capable = ({ capabilities }: Payload<'HELLO'>): { can?: Capabilities } => {
  const { ack, max_inflight, cumulative_ack, ack_lists } = capabilities ?? {};
  const can = Object.entries({ ack, max_inflight, cumulative_ack, ack_lists }).filter(
    ([, value]) => value !== undefined,
  );
  return can.length === 0 ? {} : { can: Object.fromEntries(can) };
};

export class Sessions {
  readonly #relay: Relay;
  readonly #random: RandomBytes;
  readonly names: Names;

  constructor(relay: Relay, random: RandomBytes, tookOver: boolean) {
    this.#relay = relay;
    this.#random = random;
    this.names = new Names(relay, tookOver);
  }

  /** A pending session for `relay-connect`, once it is stored. Throws BAD_NAME, NAME_IN_USE. */
  async open(
    name: string,
    options: { ttlMs?: number | undefined; scopedTokenHash?: string | undefined } = {},
  ): Promise<Handoff> {
    this.names.check(name);
    const { token, record } = this.#mintHandoff(options.ttlMs);
    const id = mintSessionId(this.#random);
    const stored = this.#relay.journal.committed({
      t: 'opened',
      session: id,
      name,
      at: this.#now,
      token: record,
      ...scopedBy(options.scopedTokenHash),
    });
    const session = this.#known(id);
    this.#announce(session);
    await stored;
    return { session, token, tokenId: record.id, until: record.until };
  }

  /** A new handoff token for a session; the one before is void. Throws SESSION_CLOSED, _EXPIRED, MAX_RECONNECTS. */
  async renew(
    session: Session,
    kind: 'reconnect' | 'refresh',
    scopedTokenHash?: string | undefined,
  ): Promise<Handoff> {
    if (session.state === 'closed') refuse('SESSION_CLOSED', `the session of ${session.name} was closed`);
    if (session.state === 'expired') refuse('SESSION_EXPIRED', `the session of ${session.name} timed out`);
    if (kind === 'reconnect' && session.reconnects >= this.#relay.settings.maxReconnects) {
      refuse('MAX_RECONNECTS', `${session.name} was reconnected ${session.reconnects} times`);
    }
    const { token, record } = this.#mintHandoff();
    const stored = this.#relay.journal.committed({
      t: 'token',
      session: session.id,
      v: session.version + 1,
      at: this.#now,
      token: record,
      ...(kind === 'reconnect' ? { reconnect: true as const } : {}),
      ...scopedBy(scopedTokenHash),
    });
    this.schedule(session);
    await stored;
    return { session, token, tokenId: record.id, until: record.until };
  }

  /** HELLO: the session it is for. `said` may send WELCOME. Throws what refuses the connection. */
  admit(hello: Payload<'HELLO'>, said: (admission: Admission) => void): Session {
    const { session: found, handoff, resumed, notice } = proofOf(this.#relay, hello);
    this.names.check(hello.agent, found);
    const session = found ?? this.#openFor(hello.agent);
    for (const other of this.#relay.state.sessions.ofName(session.name)) {
      if (other !== session) this.close(other, 'superseded');
    }
    return this.#activate(
      session,
      {
        ...(handoff === undefined ? {} : { handoff }),
        ...(resumed === undefined ? {} : { resumed }),
        injects: hello.capabilities?.injects === true,
        ...capable(hello),
        ...scopedBy(hello.session?.scoped_token_hash),
      },
      (resumeToken) => said({ session, resumeToken, ...(notice ? { notice } : {}) }),
    );
  }

  /** RESUME as first frame: the session id, shown to nobody but its owner, is the proof (P8). */
  resume(id: string, agent: string, said: (admission: Admission) => void): Session {
    const session = this.#relay.state.sessions.get(id);
    if (session === undefined || !isLive(session) || session.name !== agent || session.state === 'pending') {
      throw new RelayError('STALE', 'no such session to resume');
    }
    this.names.check(session.name, session);
    const { injects, can } = session;
    return this.#activate(session, { injects, ...(can === undefined ? {} : { can }) }, (resumeToken) =>
      said({ session, resumeToken }),
    );
  }

  /** The first frame after WELCOME: the tokens that led here are used up (P7). */
  answered(session: Session): void {
    if (!isLive(session)) return;
    if (session.resume.length <= 1 && session.enteredBy === undefined) return;
    this.#relay.journal.write({ t: 'answered', session: session.id, v: session.version + 1, at: this.#now });
  }

  /** Its connection ended without BYE. */
  left(session: Session): void {
    if (session.state !== 'active') return;
    this.#relay.journal.write({ t: 'left', session: session.id, v: session.version + 1, at: this.#now });
    session.leftAt = this.#relay.clock.monotonic();
    this.#announce(session);
    this.schedule(session);
  }

  /** Ends the session; `said` once that is stored. Twice is fine. */
  close(session: Session, reason: string, said?: () => void): void {
    if (isLive(session)) this.#end(session, 'closed', reason, said);
    else said?.();
  }

  /** A session's time is up: looks whether it still stands. */
  fellDue(id: string): void {
    const session = this.#relay.state.sessions.get(id);
    if (session === undefined) return;
    const end = endOf(session, this.#relay.settings);
    if (end === undefined) return;
    if (end > this.#now) this.schedule(session);
    else if (isLive(session)) this.#expire(session);
    else this.#relay.state.sessions.forget(session);
  }

  /** Sees to it that `fellDue` is called when the session's time is up. */
  schedule(session: Session): void {
    const end = endOf(session, this.#relay.settings);
    if (end !== undefined) this.#relay.state.deadlines.add(end, { kind: 'session', session: session.id });
  }

  /** After a restart: whoever was connected is not any more, and its window starts now (P9). */
  recovered(): void {
    this.names.recovered();
    for (const session of this.#relay.state.sessions.all()) {
      if (session.state === 'active') this.left(session);
      else this.schedule(session);
    }
  }

  get #now(): number {
    return this.#relay.clock.now();
  }

  #known(id: string): Session {
    const session = this.#relay.state.sessions.get(id) as Session;
    this.schedule(session);
    return session;
  }

  #openFor(name: string): Session {
    const id = mintSessionId(this.#random);
    this.#relay.journal.write({ t: 'opened', session: id, name, at: this.#now });
    return this.#known(id);
  }

  /** It is connected, and has a fresh resume token, which is told once it is stored. */
  #activate(
    session: Session,
    more: { handoff?: string; resumed?: string; injects: boolean; can?: Capabilities; scoped?: string },
    stored: (resumeToken: string) => void,
  ): Session {
    const resumeToken = mintToken('ar', this.#random);
    const at = { session: session.id, v: session.version + 1, at: this.#now };
    this.#relay.journal.write({ t: 'active', ...at, resume: hashToken(resumeToken), ...more }, () =>
      stored(resumeToken),
    );
    this.#announce(session);
    this.schedule(session);
    return session;
  }

  #end(session: Session, state: 'closed' | 'expired', reason: string, said?: () => void): void {
    const { journal, state: relayState } = this.#relay;
    const record = { session: session.id, v: session.version + 1, at: this.#now };
    journal.write(
      state === 'closed' ? { t: 'closed', ...record, reason } : { t: 'expired', ...record },
      said,
    );
    this.#announce(session, reason);
    this.schedule(session);
    if (reason === 'superseded' || relayState.sessions.ofName(session.name).length > 0) return;
    for (const topic of relayState.topicsOf(session.name)) {
      journal.write({ t: 'topic', name: session.name, topic, on: false });
    }
  }

  /** Its connection, if there is one, is told. */
  #expire(session: Session): void {
    const peer = this.#relay.peers.get(session.name);
    this.#end(session, 'expired', 'timeout', () => {
      if (peer?.session === session) peer.bye({ code: 'SESSION_EXPIRED', message: 'the session timed out' });
    });
  }

  #mintHandoff(ttlMs = this.#relay.settings.handoffTtlMs): { token: string; record: TokenRecord } {
    const token = mintToken('ah', this.#random);
    const hash = hashToken(token);
    return { token, record: { hash, id: tokenId(hash), until: this.#now + ttlMs } };
  }

  #announce(session: Session, reason?: string): void {
    const { log, events } = this.#relay;
    const fields = { agent: session.name, state: session.state, ...(reason ? { reason } : {}) };
    log.info('session', fields);
    events.emit({ type: 'session', at: this.#now, ...fields });
  }
}
