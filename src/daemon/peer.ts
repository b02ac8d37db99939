/**
 * One connection as the daemon sees it: its handshake, its heartbeat, what it was given, and how it ends.
 * docs/protocol.md §4, §6, §7 (P2, P5, P13, P14).
 */
import type { Timer } from '../base/clock.ts';
import { RelayError } from '../base/errors.ts';
import { type Envelope, type EnvelopeOf, newEnvelope } from '../protocol/envelope.ts';
import { newId } from '../protocol/ids.ts';
import { DEFAULT_MAX_INFLIGHT, MAX_OUTBOUND_BYTES, MAX_UNSTORED_BYTES } from '../protocol/limits.ts';
import type { Payload } from '../protocol/payloads.ts';
import type { Connection } from '../transport/connection.ts';
import { AckLists, type ListedStage } from './ack-lists.ts';
import { handle } from './handlers/handle.ts';
import { Heartbeat } from './heartbeat.ts';
import { Inflight } from './inflight.ts';
import type { Delivery } from './message.ts';
import { RefusedStreams } from './refused-streams.ts';
import type { Relay } from './relay.ts';
import type { Session } from './session-table.ts';
import type { Admission } from './sessions.ts';

/** DELIVERs stop here, so that answers always find room before SLOW_CONSUMER (P14). */
const DELIVER_MARK_BYTES = MAX_OUTBOUND_BYTES / 4;

/** Milliseconds for a peer to read the last words we sent it. */
const LAST_WORDS_MS = 2_000;

/** Milliseconds for a client to read what the person waits for it to know. */
const READ_MS = 1_000;

/** Milliseconds between two looks of the daemon at its peers, at most, unless it slept. */
const AWAKE_MS = 1_000;

/** Milliseconds between two looks whether bytes have left for a client that does not acknowledge (P13). */
const WRITTEN_LOOK_MS = 5;

/** `welcoming`: its session is being stored. */
export type PeerState = 'handshaking' | 'welcoming' | 'ready' | 'closing' | 'closed';

export class Peer {
  readonly #relay: Relay;
  readonly #connection: Connection;
  readonly #ended: (peer: Peer) => void;
  readonly #heartbeat: Heartbeat;
  readonly #since: number;
  #state: PeerState = 'handshaking';
  #session: Session | undefined;
  #capabilities: NonNullable<Payload<'HELLO'>['capabilities']> = {};
  #inflight: Inflight;
  /** Given to a client that does not acknowledge, and not yet out of our memory. */
  #unwritten: Delivery[] = [];
  #writtenLook: Timer | undefined;
  /** Came before our WELCOME was out: served after it. */
  readonly #early: Envelope[] = [];
  #answered = false;
  #awake = 0;
  #lookedAt: number;
  #refilling = false;
  #unstoredBytes = 0;
  /** By nonce: who waits until the client has read what was sent before a PING. */
  readonly #readers = new Map<string, () => void>();
  #paused = false;
  readonly #answers = new AckLists();
  #lingering: Timer | undefined;
  /** A delivery leaves at the end of this turn, so we are behind the fence. */
  #delivering = false;
  /** Streams that stay refused (P15). */
  readonly refused = new RefusedStreams();

  constructor(relay: Relay, connection: Connection, ended: (peer: Peer) => void) {
    this.#relay = relay;
    this.#connection = connection;
    this.#ended = ended;
    this.#since = relay.clock.monotonic();
    this.#lookedAt = this.#since;
    this.#heartbeat = new Heartbeat(relay.settings.heartbeatMs, this.#since);
    this.#inflight = new Inflight(DEFAULT_MAX_INFLIGHT, relay.settings.maxInflightBytes);
  }

  get state(): PeerState {
    return this.#state;
  }

  /** The session it serves; there is one from HELLO on. */
  get session(): Session | undefined {
    return this.#session;
  }

  get inflight(): Inflight {
    return this.#inflight;
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
      drain: () => this.refill(),
      leaving: () => {
        if (this.#lingering === undefined || this.#delivering) this.#sendAnswers();
        this.#delivering = false;
      },
      closed: () => this.#gone(),
    });
  }

  /** A frame of the client's, in its turn. */
  receive(envelope: Envelope): void {
    if (this.#state === 'closing' || this.#state === 'closed') return;
    if (this.#state === 'welcoming') {
      if (this.#early.push(envelope) === 1) this.hush(true);
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
    this.#handle(envelope);
  }

  send(envelope: Envelope): void {
    if (this.#state === 'closed') return;
    // What was answered before it is said before it.
    if (this.#lingering === undefined) this.#sendAnswers();
    else this.#relay.journal.behindFence(() => this.#sendAnswers());
    this.#connection.send(envelope);
  }

  /**
   * ACK of a SEND to one name; with its like in one frame where both sides know lists (P23). It leaves with
   * the next delivery, or after a moment: each write wakes a process that has better to do.
   */
  acknowledge(id: string, stage: ListedStage, to: string | undefined, seq: number | undefined): void {
    if (!this.ackLists) {
      this.send(newEnvelope('ACK', { ack_id: id, stage, to, seq }, this.#relay.clock.now()));
    } else if (this.#state !== 'closed') {
      if (this.#answers.add(stage, id)) this.#sendAnswers();
      else this.#linger();
    }
  }

  /** HELLO or RESUME was accepted: from now on this connection serves the session's name. */
  bind(session: Session, capabilities: Payload<'HELLO'>['capabilities']): void {
    const { peers, settings } = this.#relay;
    this.#session = session;
    this.#capabilities = capabilities ?? {};
    this.#inflight = new Inflight(
      this.#capabilities.max_inflight ?? DEFAULT_MAX_INFLIGHT,
      settings.maxInflightBytes,
    );
    this.#become('welcoming');
    const before = peers.get(session.name);
    peers.set(session.name, this);
    if (before !== this) before?.takenOver();
  }

  /** The session is stored: says WELCOME and begins to deliver. */
  welcome({ session, resumeToken, notice }: Admission): void {
    if (this.#state !== 'welcoming') return;
    const { clock, epoch, version, journal, settings, state } = this.#relay;
    if (notice) this.#error(notice, false);
    const { dedupSince } = state.messages;
    this.send(
      newEnvelope(
        'WELCOME',
        {
          session_id: session.id,
          resume_token: resumeToken,
          ...(session.injects && state.findMailbox(session.name)?.standstill ? { held: true } : {}),
          server: {
            max_frame_bytes: settings.maxFrameBytes,
            heartbeat_ms: settings.heartbeatMs,
            epoch,
            version,
            store_format: journal.format,
            ...(journal.durable ? { dedup_since: dedupSince } : {}),
            capabilities: { cumulative_ack: true, ack_lists: true },
          },
        },
        clock.now(),
      ),
    );
    this.#become('ready');
    if (this.#early.length === 0) return;
    for (const envelope of this.#early.splice(0)) this.#handle(envelope);
    this.hush(false);
  }

  /**
   * Delivers what may go now: streams take turns, within the limits of P13 and P14. To be called behind
   * the fence only: when a record is stored, or after asking it (P20).
   */
  pump(): void {
    const session = this.#session;
    if (this.#state !== 'ready' || session === undefined) return;
    const mailbox = this.#relay.state.mailbox(session.name);
    while (this.#inflight.room && this.#connection.bufferedBytes < DELIVER_MARK_BYTES) {
      const delivery = mailbox.take();
      if (delivery === undefined) break;
      if (this.#relay.router.expired(delivery)) continue;
      this.#delivering = true;
      this.#connection.sendUtf8(delivery.render(session.id, this.#relay.epoch));
      delivery.state = 'inflight';
      this.#relay.state.messages.markGiven(delivery);
      session.received++;
      this.#inflight.add(delivery);
      if (this.#capabilities.ack === false) this.#unwritten.push(delivery);
    }
    if (this.#unwritten.length > 0 && this.#writtenLook === undefined) this.#lookForWritten();
  }

  /** There is room again: delivers once the frames at hand are judged, so that one look at the fence does. */
  refill(): void {
    const { state, journal } = this.#relay;
    const name = this.#session?.name;
    if (this.#refilling || name === undefined || !state.findMailbox(name)?.depth) return;
    this.#refilling = true;
    queueMicrotask(() =>
      journal.behindFence(() => {
        this.#refilling = false;
        this.pump();
      }),
    );
  }

  /** RESUME on this connection: what it has not acknowledged is given once more (P8). */
  replay(): void {
    this.#putBack();
    this.refill();
  }

  /**
   * Tells a client that types whether its person holds it: what it has been given already waits there, too
   * (P18). Resolves when it has read that, or has had time to.
   */
  async tellHeld(held: boolean): Promise<void> {
    const session = this.#session;
    // Who is being welcomed is told by WELCOME.
    if (session?.injects !== true || this.#state !== 'ready') return;
    const { clock } = this.#relay;
    this.send(newEnvelope('SYNC', { session_id: session.id, streams: [], held }, clock.now()));
    const nonce = newId();
    await new Promise<void>((resolve) => {
      const timer = clock.after(READ_MS, resolve, { unref: true });
      this.#readers.set(nonce, () => {
        timer.cancel();
        resolve();
      });
      this.send(newEnvelope('PING', { nonce }, clock.now()));
    });
    this.#readers.delete(nonce);
  }

  /** A PONG came: all that was sent before its PING was read. */
  ponged(nonce: string | undefined): void {
    this.#readers.get(nonce ?? '')?.();
  }

  /** Counts bytes that wait for the disk; beyond the limit we stop reading, until it has them (P14). */
  storing(bytes: number): void {
    this.#unstoredBytes += bytes;
    if (!this.#paused && this.#unstoredBytes > MAX_UNSTORED_BYTES) {
      this.#paused = true;
      this.#connection.pause();
    } else if (this.#paused && this.#unstoredBytes < MAX_UNSTORED_BYTES / 2) {
      this.#paused = false;
      this.#connection.resume();
    }
  }

  /** Milliseconds, as of the last look: time in which the daemon slept does not count (P2, P15). */
  get awake(): number {
    return this.#awake;
  }

  /** Called several times a heartbeat: PING, or the end. */
  look(now: number): void {
    this.#awake += Math.min(now - this.#lookedAt, AWAKE_MS);
    this.#lookedAt = now;
    if (this.#state === 'closing' || this.#state === 'closed') return;
    if (this.#state === 'handshaking') {
      if (now - this.#since >= this.#relay.settings.handshakeMs) {
        this.fail(new RelayError('HANDSHAKE_TIMEOUT', 'no HELLO came in time'));
      }
      return;
    }
    const life = this.#heartbeat.look(now, this.#paused);
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

  /** Stops reading until there is something to answer with: it recovers, or WELCOME is being stored (P20). */
  hush(on: boolean): void {
    this.#paused = on;
    if (on) this.#connection.pause();
    else this.#connection.resume();
  }

  #linger(): void {
    const { clock, journal, settings } = this.#relay;
    if (settings.answerMs === 0) return this.#connection.leaveSoon();
    this.#lingering ??= clock.after(settings.answerMs, () => journal.behindFence(() => this.#sendAnswers()));
  }

  #sendAnswers(): void {
    if (!this.ackLists) return;
    this.#lingering?.cancel();
    this.#lingering = undefined;
    for (const { stage, ids } of this.#answers.take()) {
      const about = ids.length === 1 ? { ack_id: ids[0] } : { ack_ids: ids };
      this.#connection.send(newEnvelope('ACK', { ...about, stage }, this.#relay.clock.now()));
    }
  }

  #handle(envelope: Envelope): void {
    try {
      handle(this.#relay, this, envelope);
    } catch (thrown) {
      const error = RelayError.from(thrown);
      if (error.code !== 'INTERNAL') {
        this.refuse(error, envelope.id);
        return;
      }
      this.#relay.log.error('peer.handler_threw', { type: envelope.type, error: thrown });
      this.fail(new RelayError('INTERNAL', 'the daemon failed on this frame'));
    }
  }

  #invalid(error: RelayError, fatal: boolean): void {
    // The Connection ends a fatal one itself: only the words are ours.
    if (this.#state === 'closing' || this.#state === 'closed') return;
    if (!fatal) {
      this.#error(error, false, error.details?.refId as string | undefined);
      return;
    }
    this.#become('closing');
    this.#relay.log.info('peer.refused', { agent: this.#session?.name, code: error.code });
    this.#error(error, true);
    this.#relay.clock.after(LAST_WORDS_MS, () => this.#connection.destroy(), { unref: true });
  }

  #error({ code, message, suggestion }: RelayError, fatal: boolean, refId?: string): void {
    const payload = { code, message, suggestion, fatal, ...(refId === undefined ? {} : { ref_id: refId }) };
    this.send(newEnvelope('ERROR', payload, this.#relay.clock.now()));
  }

  /** P13: without acknowledgments a delivery has ended when its bytes have left our memory. */
  #lookForWritten(): void {
    this.#writtenLook = undefined;
    if (this.#connection.bufferedBytes === 0) {
      const written = this.#unwritten;
      this.#unwritten = [];
      for (const delivery of written) this.#inflight.take(delivery);
      this.#relay.router.delivered(written, 'written');
    } else {
      this.#writtenLook = this.#relay.clock.after(WRITTEN_LOOK_MS, () => this.#lookForWritten());
    }
  }

  #gone(): void {
    if (this.#state === 'closed') return;
    this.#become('closed');
    this.#lingering?.cancel();
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
    this.#putBack();
    router.wake(session.name);
  }

  #putBack(): void {
    this.#unwritten = [];
    this.#writtenLook?.cancel();
    this.#writtenLook = undefined;
    this.#relay.router.putBack(this.#inflight.takeAll().reverse());
  }

  #become(state: PeerState): void {
    this.#state = state;
    this.#relay.log.debug('peer', { agent: this.#session?.name, state });
  }
}

export type Handler<T extends Envelope['type']> = (relay: Relay, peer: Peer, envelope: EnvelopeOf<T>) => void;
