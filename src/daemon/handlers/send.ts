/** SEND: a message for the router; its answers go back to this connection. docs/protocol.md §5 (P12, P14, P15). */
import { RelayError } from '../../base/errors.ts';
import { DEFAULT_TOPIC } from '../../protocol/address.ts';
import { type EnvelopeOf, newEnvelope } from '../../protocol/envelope.ts';
import type { Message } from '../message.ts';
import type { Peer } from '../peer.ts';
import type { Relay } from '../relay.ts';
import type { Reply } from '../router.ts';
import type { Session } from '../session-table.ts';
import { refusalOf, tellStored } from '../tell.ts';
import type { Handler } from './handler.ts';

/** The store takes nothing any more, and the last group may have been written or not. */
const UNANSWERED: ReadonlySet<string> = new Set(['DEPOSED', 'STORE_FAILED', 'SHUTTING_DOWN']);

/** A BUSY for every so many messages above the soft mark (P14). */
const BUSY_EVERY = 1_000;

export const send: Handler<'SEND'> = (relay, peer, envelope) => {
  const session = peer.session as Session;
  const { id, to, topic, raw, payload_meta: meta } = envelope;
  const order = ++session.sent;
  const { refused } = peer;
  const place = refused.any ? refused.pass(streamOf(envelope), id, order, peer.awake.ms) : order;
  const answer = new Answer(relay, peer, envelope, place ?? 0);
  if (place === undefined) {
    const details = { scope: 'pair' };
    answer.refuse(new RelayError('QUEUE_FULL', 'an earlier message of this stream was refused', { details }));
    return;
  }
  peer.reading.storing(raw.payload.length);
  const { name: from, id: session_id, injects } = session;
  const acks = meta?.requires_ack === true;
  const message = relay.router.send(
    { id, from, session: session_id, injects, to, topic, raw, ttlMs: meta?.ttl_ms, acks },
    answer,
  );
  for (const { recipient } of message?.deliveries ?? []) advise(relay, peer, from, recipient);
};

/** What the connection is told of its SEND. */
class Answer implements Reply {
  readonly #relay: Relay;
  readonly #peer: Peer;
  readonly #envelope: EnvelopeOf<'SEND'>;
  readonly #place: number;

  constructor(relay: Relay, peer: Peer, envelope: EnvelopeOf<'SEND'>, place: number) {
    this.#relay = relay;
    this.#peer = peer;
    this.#envelope = envelope;
    this.#place = place;
  }

  stored(message: Message): void {
    this.repeated();
    tellStored(this.#relay, this.#peer, message);
  }

  refused(error: RelayError): void {
    this.repeated();
    // Whether it was stored is our successor's to say: BYE follows, and the sender asks there.
    if (UNANSWERED.has(error.code)) return;
    if (error.code === 'QUEUE_FULL' || error.code === 'STORE_FULL') {
      const { id } = this.#envelope;
      this.#peer.refused.refuse(streamOf(this.#envelope), id, this.#place, this.#peer.awake.ms);
    }
    this.refuse(error);
  }

  repeated(): void {
    this.#peer.reading.storing(-this.#envelope.raw.payload.length);
  }

  refuse(error: RelayError): void {
    const payload = refusalOf(this.#envelope.id, error);
    this.#peer.send(newEnvelope('NACK', payload, this.#relay.clock.now()));
  }
}

/** P14: BUSY when the backlog of a pair passes the soft mark, and again as it grows. */
function advise(relay: Relay, peer: Peer, from: string, to: string): void {
  const depth = relay.state.messages.pairDepth(from, to);
  const above = depth - relay.settings.pairSoftMark;
  if (above < 0 || above % BUSY_EVERY !== 0) return;
  const retry = Math.min(1_000, 50 * (1 + above / BUSY_EVERY));
  peer.send(newEnvelope('BUSY', { retry_after_ms: retry, queue_depth: depth, to }, relay.clock.now()));
}

const streamOf = ({ to, topic }: EnvelopeOf<'SEND'>): string => `${to ?? ''}\0${topic ?? DEFAULT_TOPIC}`;
