/** One connection as the daemon sees it: its handshake, its life and its end. docs/protocol.md §4, §7 (P2, P5). */
import { RelayError } from '../base/errors.ts';
import { type Envelope, newEnvelope } from '../protocol/envelope.ts';
import { newId } from '../protocol/ids.ts';
import type { Payload } from '../protocol/payloads.ts';
import type { Connection } from '../transport/connection.ts';
import type { ListedStage } from './ack-lists.ts';
import { Answers } from './answers.ts';
import { AwakeTime } from './awake-time.ts';
import { handle } from './handlers/handle.ts';
import { Heartbeat } from './heartbeat.ts';
import { Pump } from './pump.ts';
import { Readers } from './readers.ts';
import { Reading } from './reading.ts';
import { RefusedStreams } from './refused-streams.ts';
import type { Relay } from './relay.ts';
import type { Session } from './session-table.ts';
import type { Admission } from './sessions.ts';
import { welcomeOf } from './welcome.ts';

/** Milliseconds for a peer to read the last words we sent it. */
const LAST_WORDS_MS = 2_000;

/** `welcoming`: its session is being stored. */
export type PeerState = 'handshaking' | 'welcoming' | 'ready' | 'closing' | 'closed';

export class Peer {
  readonly #relay: Relay;
  readonly #connection: Connection;
  readonly #ended: (peer: Peer) => void;
  readonly #heartbeat: Heartbeat;
  /** Since when it may have said HELLO; what we do not read may hold one. */
  #since: number;
  readonly #answers: Answers;
  /** Streams that stay refused (P15). */
  readonly refused = new RefusedStreams();
  readonly awake: AwakeTime;
  readonly reading: Reading;
  readonly readers: Readers;
  readonly pump: Pump;
  #state: PeerState = 'handshaking';
  #session: Session | undefined;
  #capabilities: NonNullable<Payload<'HELLO'>['capabilities']> = {};
  /** Came before our WELCOME was out: served after it. */
  readonly #early: Envelope[] = [];
  #answered = false;

  constructor(relay: Relay, connection: Connection, ended: (peer: Peer) => void) {
    this.#relay = relay;
    this.#connection = connection;
    this.#ended = ended;
    this.#since = relay.clock.monotonic();
    this.awake = new AwakeTime(this.#since);
    this.#heartbeat = new Heartbeat(relay.settings.heartbeatMs, this.#since);
    this.#answers = new Answers(relay, connection);
    this.reading = new Reading(connection);
    this.readers = new Readers(relay.clock, (envelope) => this.send(envelope));
    this.pump = new Pump(relay, this, connection, this.#answers);
  }

  get state(): PeerState {
    return this.#state;
  }

  /** The session it serves; there is one from HELLO on. */
  get session(): Session | undefined {
    return this.#session;
  }

  /** Both sides declared it (P23). */
  get cumulativeAck(): boolean {
    return this.#capabilities.cumulative_ack === true;
  }

  /** Both sides declared it (P23). */
  get ackLists(): boolean {
    return this.#capabilities.ack_lists === true;
  }

  start(): void {
    this.#connection.start({
      envelope: (envelope) => this.receive(envelope),
      invalid: (error, fatal) => this.#invalid(error, fatal),
      heard: () => this.#heartbeat.heard(this.#relay.clock.monotonic()),
      drain: () => this.pump.refill(),
      leaving: () => this.#answers.leaving(),
      ended: () => this.#halfClosed(),
      closed: () => this.#gone(),
    });
  }

  /** A frame of the client's, in its turn. */
  receive(envelope: Envelope): void {
    if (this.#state === 'closing' || this.#state === 'closed') return;
    if (this.#state === 'welcoming') {
      if (this.#early.push(envelope) === 1) this.reading.hush(true);
      return;
    }
    const session = this.#session;
    if (session !== undefined) {
      // Heartbeats say that it lives, not that it does anything.
      if (envelope.type !== 'PONG' && envelope.type !== 'PING') {
        session.lastActivity = this.#relay.clock.now();
      }
      if (!this.#answered) {
        this.#answered = true;
        this.#relay.sessions.answered(session);
      }
    }
    handle(this.#relay, this, envelope);
  }

  send(envelope: Envelope): void {
    if (this.#state === 'closed') return;
    this.#answers.precede();
    this.#connection.send(envelope);
  }

  /** ACK of a SEND to one name; with its like in one frame where both sides know lists (P23). */
  acknowledge(id: string, stage: ListedStage, to: string | undefined, seq: number | undefined): void {
    if (this.#state === 'closed') return;
    if (this.ackLists) this.#answers.add(stage, id);
    else this.send(newEnvelope('ACK', { ack_id: id, stage, to, seq }, this.#relay.clock.now()));
  }

  /** HELLO or RESUME was accepted: from now on this connection serves the session's name. */
  bind(session: Session, capabilities: Payload<'HELLO'>['capabilities']): void {
    const { peers } = this.#relay;
    this.#session = session;
    this.#capabilities = capabilities ?? {};
    this.pump.prime(this.#capabilities);
    this.#become('welcoming');
    const before = peers.get(session.name);
    peers.set(session.name, this);
    if (before !== this) before?.takenOver();
  }

  /** The session is stored: says WELCOME and begins to deliver. */
  welcome(admission: Admission): void {
    if (this.#state !== 'welcoming') return;
    if (admission.notice) this.#error(admission.notice, false);
    this.send(welcomeOf(this.#relay, admission));
    this.#become('ready');
    if (this.#early.length === 0) return;
    for (const envelope of this.#early.splice(0)) handle(this.#relay, this, envelope);
    this.reading.hush(false);
  }

  /** Called several times a heartbeat: PING, or the end. */
  look(now: number): void {
    this.awake.look(now);
    if (this.#state === 'closing' || this.#state === 'closed') return;
    if (this.#state === 'handshaking') {
      if (this.reading.paused) this.#since = now;
      if (now - this.#since >= this.#relay.settings.handshakeMs) {
        this.fail(new RelayError('HANDSHAKE_TIMEOUT', 'no HELLO came in time'));
      }
      return;
    }
    const life = this.#heartbeat.look(now, this.reading.paused);
    if (life === 'ping') this.send(newEnvelope('PING', { nonce: newId() }, this.#relay.clock.now()));
    if (life === 'dead') {
      this.#relay.log.info('peer.silent', { agent: this.#session?.name });
      this.#connection.destroy();
      this.#gone();
    }
  }

  /** A refusal of one frame; the connection stays (P5). */
  refuse(error: RelayError, refId?: string): void {
    this.#error(error, false, refId);
  }

  /** ERROR, then the end (P5). */
  fail(error: RelayError): void {
    if (this.#state === 'closing' || this.#state === 'closed') return;
    this.#relay.log.info('peer.refused', { agent: this.#session?.name, code: error.code });
    this.#error(error, true);
    this.end();
  }

  /** Another connection serves the session now: this one is told, and does not come back by itself (P9). */
  takenOver(): void {
    this.#release();
    this.#session = undefined;
    this.#error(new RelayError('SESSION_TAKEN_OVER', 'another connection took this session over'), true);
    this.bye({ code: 'SESSION_TAKEN_OVER' });
  }

  /** The client said BYE: its session ends, and BYE answers once that and the ACKs before it are stored. */
  leave(): void {
    const session = this.#session;
    this.#release();
    this.#session = undefined;
    if (session === undefined) this.bye({});
    else this.#relay.sessions.close(session, 'bye', () => this.bye({}));
  }

  /** BYE, then the end. */
  bye(payload: Payload<'BYE'>): void {
    this.send(newEnvelope('BYE', payload, this.#relay.clock.now()));
    this.end();
  }

  /** Lets what was sent be read, then closes. */
  end(): void {
    if (this.#state === 'closing' || this.#state === 'closed') return;
    this.#become('closing');
    this.#connection.end();
    this.#relay.clock.after(LAST_WORDS_MS, () => this.#connection.destroy(), { unref: true });
  }

  #invalid(error: RelayError, fatal: boolean): void {
    // The Connection ends a fatal one itself: only the words are ours.
    if (this.#state === 'closing' || this.#state === 'closed') return;
    if (!fatal) return this.refuse(error, error.details?.refId as string | undefined);
    this.#become('closing');
    this.#relay.log.info('peer.refused', { agent: this.#session?.name, code: error.code });
    this.#error(error, true);
    this.#relay.clock.after(LAST_WORDS_MS, () => this.#connection.destroy(), { unref: true });
  }

  #error({ code, message, suggestion }: RelayError, fatal: boolean, refId?: string): void {
    const payload = { code, message, suggestion, fatal, ...(refId === undefined ? {} : { ref_id: refId }) };
    this.send(newEnvelope('ERROR', payload, this.#relay.clock.now()));
  }

  /** EOF is a disconnect (P5); but after its BYE the client still reads, until ours has come (P12). */
  #halfClosed(): void {
    if (this.#state !== 'ready' || this.#session !== undefined) this.#connection.end();
  }

  #gone(): void {
    if (this.#state === 'closed') return;
    this.#become('closed');
    this.#answers.stop();
    const session = this.#session;
    this.#release();
    if (session !== undefined) this.#relay.sessions.left(session);
    this.#ended(this);
  }

  /** What it had not acknowledged waits again, and the name is served by nobody. */
  #release(): void {
    const session = this.#session;
    if (session === undefined) return;
    const { peers, router } = this.#relay;
    if (peers.get(session.name) === this) peers.delete(session.name);
    this.pump.putBack();
    router.wake(session.name);
  }

  #become(state: PeerState): void {
    this.#state = state;
    this.#relay.log.debug('peer', { agent: this.#session?.name, state });
  }
}
