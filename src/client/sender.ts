/**
 * What a client sends: through its outbox to whichever connection there is, again what was refused for
 * now, and to the disk what stays unanswered. docs/protocol.md §10 (P12, P15, P21).
 */
import type { Clock, Timer } from '../base/clock.ts';
import { RelayError } from '../base/errors.ts';
import { encodeEnvelope, newEnvelope, parseEnvelope, type SendEnvelope } from '../protocol/envelope.ts';
import { fitsMeta, fitsPayload } from '../protocol/fits.ts';
import { HEADER_BYTES } from '../protocol/frame.ts';
import { isUuid, newId } from '../protocol/ids.ts';
import { MAX_FRAME_BYTES, OUTBOX_LATE_MS } from '../protocol/limits.ts';
import type { Payload } from '../protocol/payloads.ts';
import { backoffMs } from './backoff.ts';
import type { RelayChannel } from './channel.ts';
import type { ClientState, Outgoing } from './contract.ts';
import type { Fate } from './fate.ts';
import { Outbox, type OutboxLimits } from './outbox.ts';
import type { Spill } from './spill.ts';

/** Bytes in our memory beyond which the outbox waits for the socket. */
const PUMP_MARK_BYTES = 1024 * 1024;
/** Refusals in a row after which the waits grow no longer: 6.4 s, and one frame a recipient. */
const LONGEST_WAIT = 7;
/** Milliseconds that a relay's advice is followed for at most: more would be no advice. */
const MAX_ADVICE_MS = 5_000;

export interface SenderOptions {
  spill: Spill | undefined;
  outbox: OutboxLimits | undefined;
  clock: Clock;
  /** The connection, if there is one, and the state of the client it is for. */
  channel: () => RelayChannel | undefined;
  state: () => ClientState;
  fate: (fate: Fate) => void;
  /** In [0, 1). */
  random: () => number;
}

export class Sender {
  readonly #options: SenderOptions;
  readonly #clock: Clock;
  readonly #outbox: Outbox;
  #retry: Timer | undefined;
  /** Refusals since there was room the last time. */
  #refusals = 0;
  #advice: Timer | undefined;
  /** Looks for SENDs that stay unanswered. */
  #look: Timer | undefined;
  #waiting: (() => void)[] = [];

  constructor(options: SenderOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#outbox = new Outbox({
      ...options.outbox,
      spill: options.spill,
      now: () => options.clock.now(),
      wake: () => this.pump(),
      room: () => {
        this.#refusals = 0;
        this.pump();
      },
      fate: (fate) => options.fate(fate),
    });
  }

  /** Messages whose end is not known yet. */
  get unended(): number {
    return this.#outbox.size;
  }

  /** Resolves when the relay has answered for all that was sent, or will not any more. */
  async handedOver(): Promise<void> {
    if (this.#outbox.unanswered === 0 || this.#over) return;
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Puts on disk what no relay has taken over: how many messages that is, and how many no disk has. */
  keepUnsent(): Promise<{ unanswered: number; lost: number }> {
    return this.#outbox.flush();
  }

  /**
   * Sends a message, now or when the relay is back; returns its id. Throws QUEUE_FULL, and BAD_REQUEST or
   * MESSAGE_TOO_LARGE for what no relay would take.
   */
  send(message: Outgoing): string {
    const id = message.id ?? newId();
    const meta = { requires_ack: true, ...(message.ttlMs === undefined ? {} : { ttl_ms: message.ttlMs }) };
    const envelope = newEnvelope('SEND', message.payload, this.#clock.now(), {
      id,
      ...(message.to === undefined ? {} : { to: message.to }),
      ...(message.topic === undefined ? {} : { topic: message.topic }),
      payload_meta: meta,
    });
    const frame = encodeEnvelope(envelope);
    judge(envelope, frame);
    this.#outbox.add(id, message.to ?? '*', frame);
    this.pump();
    this.lookOut();
    return id;
  }

  /** Everything is to be sent again; what may not be is returned. */
  restart(dedupSince: number | undefined): Fate[] {
    return this.#outbox.restart(dedupSince);
  }

  /** No relay answers. */
  away(): void {
    this.#outbox.away();
  }

  /** Hands the connection as much as it takes. */
  pump(): void {
    const channel = this.#options.channel();
    while (
      channel !== undefined &&
      channel === this.#options.channel() &&
      channel.bufferedBytes < PUMP_MARK_BYTES
    ) {
      const frame = this.#outbox.next();
      if (frame === undefined) return;
      channel.sendFrame(frame);
    }
  }

  /** A relay that leaves a SEND unanswered for long is no relay for it: the disk has it then, too. */
  lookOut(): void {
    if (this.#options.spill === undefined || this.#options.state() !== 'ready') return;
    this.#look ??= this.#clock.after(OUTBOX_LATE_MS, () => {
      this.#look = undefined;
      this.#outbox.look();
      if (this.#outbox.unanswered > 0) this.lookOut();
    });
  }

  acknowledged({ ack_ids: ids, ...payload }: Payload<'ACK'>): void {
    if (ids === undefined) this.#fate(this.#outbox.acknowledged(payload));
    else for (payload.ack_id of ids) this.#fate(this.#outbox.acknowledged(payload));
    this.answered();
  }

  nacked(payload: Payload<'NACK'>): void {
    const outcome = this.#outbox.refused(payload);
    if (outcome !== 'retry') {
      this.#fate(outcome);
      return this.answered();
    }
    if (this.#retry !== undefined) return;
    this.#refusals = Math.min(this.#refusals + 1, LONGEST_WAIT);
    this.#retry = this.#clock.after(backoffMs(this.#refusals, this.#options.random), () => {
      this.#retry = undefined;
      this.#outbox.retry();
      this.pump();
    });
  }

  /** BUSY: much waits for a recipient already; more can wait here as well (P14). */
  busy({ to, retry_after_ms: ms }: Payload<'BUSY'>): void {
    if (to === undefined) return; // Nobody else is to wait.
    this.#outbox.advised(to);
    this.#advice ??= this.#clock.after(Math.min(ms, MAX_ADVICE_MS), () => {
      this.#advice = undefined;
      this.#outbox.goOn();
      this.pump();
    });
  }

  /** Tells who waits for it that all is handed over, if it is so. */
  answered(): void {
    if (this.#waiting.length === 0 || (this.#outbox.unanswered > 0 && !this.#over)) return;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** Nothing happens by itself until the next connection. */
  stop(): void {
    this.#retry?.cancel();
    this.#look?.cancel();
    this.#advice?.cancel();
    this.#retry = undefined;
    this.#advice = undefined;
    this.#refusals = 0;
    this.#look = undefined;
  }

  get #over(): boolean {
    return this.#options.state() === 'closed';
  }

  #fate(fate: Fate | undefined): void {
    if (fate !== undefined) this.#options.fate(fate);
  }
}

/** Such a SEND would never be answered for, a frame too long would end each connection: both were tried for ever. */
function judge({ id, topic, payload, payload_meta: meta }: SendEnvelope, frame: Buffer): void {
  const bytes = frame.length - HEADER_BYTES;
  if (bytes > MAX_FRAME_BYTES) {
    throw new RelayError('MESSAGE_TOO_LARGE', `${bytes} bytes; a frame may have ${MAX_FRAME_BYTES}`);
  }
  const plain = isUuid(id) && topic === undefined && payload.data === undefined;
  if (!plain || !fitsPayload('SEND', payload) || !fitsMeta(meta)) parseEnvelope(frame.subarray(HEADER_BYTES));
}
