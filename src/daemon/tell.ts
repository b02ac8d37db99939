/** Tells a sender what became of its SEND: ACK with a stage, or NACK (P12, P16, P18). */
import { ERRORS, isErrorCode, type RelayError } from '../base/errors.ts';
import { newEnvelope } from '../protocol/envelope.ts';
import type { Payload } from '../protocol/payloads.ts';
import type { Delivery, Message } from './message.ts';
import type { Peer } from './peer.ts';
import type { Relay } from './relay.ts';

/** The first answer to a SEND. A store that does not survive us never says `stored` (P12). */
export function tellStored({ clock, journal }: Relay, peer: Peer, message: Message): void {
  const { id, deliveries, fanned } = message;
  if (fanned) {
    const stage = journal.durable ? { stage: 'stored' as const } : {};
    const recipients = deliveries.map(({ recipient }) => recipient);
    peer.send(newEnvelope('ACK', { ack_id: id, ...stage, recipients }, clock.now()));
  } else if (journal.durable) {
    peer.acknowledge(id, 'stored', deliveries[0]?.recipient, deliveries[0]?.seq);
  }
}

/** Where a delivery stands, if its sender wants or needs to know. False when the sender is away now. */
export function tellFate({ clock, peers, state }: Relay, delivery: Delivery): boolean {
  const { message, recipient, seq } = delivery;
  if (message.command || (delivery.state !== 'dead' && !message.acks)) return true;
  const peer = peers.get(message.from);
  if (peer === undefined) return false;
  if (delivery.state === 'dead') {
    const { code = 'REJECTED', text = '' } = delivery.reason ?? {};
    peer.send(newEnvelope('NACK', refusal(message.id, code, text, { to: recipient }), clock.now()));
  } else if (delivery.ended) {
    const stage = delivery.state as 'delivered' | 'written';
    if (message.fanned) {
      peer.send(newEnvelope('ACK', { ack_id: message.id, stage, to: recipient, seq }, clock.now()));
    } else {
      peer.acknowledge(message.id, stage, recipient, seq);
    }
  } else if (state.findMailbox(recipient)?.isHeld(message.from)) {
    peer.send(newEnvelope('ACK', { ack_id: message.id, stage: 'held', to: recipient }, clock.now()));
  }
  return true;
}

/** The payload of a NACK. */
export function refusal(
  ackId: string,
  code: string,
  message: string,
  more: { to?: string; scope?: unknown; suggestion?: string } = {},
): Payload<'NACK'> {
  const suggestion = more.suggestion ?? (isErrorCode(code) ? ERRORS[code].suggestion : undefined);
  return { ack_id: ackId, code, message, ...more, ...(suggestion === undefined ? {} : { suggestion }) };
}

export const refusalOf = (ackId: string, error: RelayError): Payload<'NACK'> =>
  refusal(ackId, error.code, error.message, { ...error.details, suggestion: error.suggestion });
