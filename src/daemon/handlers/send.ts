/** SEND: a message for the router; its answers go back to this connection. docs/protocol.md §5 (P12, P14, P15). */
import { RelayError } from '../../base/errors.ts';
import { DEFAULT_TOPIC } from '../../protocol/address.ts';
import { type EnvelopeOf, newEnvelope } from '../../protocol/envelope.ts';
import type { Handler, Peer } from '../peer.ts';
import type { Relay } from '../relay.ts';
import type { Session } from '../session-table.ts';
import { refusalOf, tellStored } from '../tell.ts';

/** The store takes nothing any more, and the last group may have been written or not. */
const UNANSWERED: ReadonlySet<string> = new Set(['DEPOSED', 'STORE_FAILED', 'SHUTTING_DOWN']);

/** A BUSY for every so many messages above the soft mark (P14). */
const BUSY_EVERY = 1_000;

export const send: Handler<'SEND'> = (relay, peer, envelope) => {
  const session = peer.session as Session;
  const now = relay.clock.monotonic();
  const refuse = (error: RelayError) =>
    peer.send(newEnvelope('NACK', refusalOf(envelope.id, error), relay.clock.now()));
  const stream = streamOf(envelope);
  const place = peer.refused.pass(stream, envelope.id, ++session.sent, now);
  if (place === undefined) {
    refuse(
      new RelayError('QUEUE_FULL', 'an earlier message of this stream was refused', {
        details: { scope: 'pair' },
      }),
    );
    return;
  }
  const { raw, payload_meta: meta } = envelope;
  const bytes = raw.payload.length;
  peer.storing(bytes);
  relay.router.send(
    {
      id: envelope.id,
      from: session.name,
      session: session.id,
      injects: session.injects,
      to: envelope.to,
      topic: envelope.topic,
      raw,
      ttlMs: meta?.ttl_ms,
      acks: meta?.requires_ack === true,
    },
    {
      stored: (message) => {
        peer.storing(-bytes);
        tellStored(relay, peer, message);
      },
      refused: (error) => {
        peer.storing(-bytes);
        // Whether it was stored is our successor's to say: BYE follows, and the sender asks there.
        if (UNANSWERED.has(error.code)) return;
        if (error.code === 'QUEUE_FULL' || error.code === 'STORE_FULL') {
          peer.refused.refuse(stream, envelope.id, place, relay.clock.monotonic());
        }
        refuse(error);
      },
      repeated: () => peer.storing(-bytes),
    },
  );
  if (envelope.to !== undefined) advise(relay, peer, session.name, envelope.to);
};

/** P14: BUSY when the backlog of a pair passes the soft mark, and again as it grows. */
function advise(relay: Relay, peer: Peer, from: string, to: string): void {
  const depth = relay.state.messages.pairDepth(from, to);
  const above = depth - relay.settings.pairSoftMark;
  if (above < 0 || above % BUSY_EVERY !== 0) return;
  const retry = Math.min(1_000, 50 * (1 + above / BUSY_EVERY));
  peer.send(newEnvelope('BUSY', { retry_after_ms: retry, queue_depth: depth }, relay.clock.now()));
}

const streamOf = ({ to, topic }: EnvelopeOf<'SEND'>): string => `${to ?? ''}\0${topic ?? DEFAULT_TOPIC}`;
