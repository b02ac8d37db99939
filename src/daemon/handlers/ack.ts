/** ACK of DELIVERs: the recipient has taken them over. docs/protocol.md §5 (P12, P13, P16, P23). */
import { RelayError } from '../../base/errors.ts';
import { DEFAULT_TOPIC } from '../../protocol/address.ts';
import type { Delivery } from '../message.ts';
import type { MessageTable } from '../message-table.ts';
import type { Peer } from '../peer.ts';
import type { Handler } from './handler.ts';

export const ack: Handler<'ACK'> = ({ router, state }, peer, { payload }) => {
  const { ack_id: id, seq, seqs, topic, peer: from, up_to_seq: upTo } = payload;
  if (id === undefined && seqs === undefined && upTo === undefined) {
    throw new RelayError('BAD_REQUEST', 'ACK: payload.ack_id is missing');
  }
  if (id !== undefined) {
    const delivery = givenAs(state.messages, id, seq);
    if (delivery !== undefined && take(peer, delivery)) router.delivered([delivery]);
  } else if (seqs !== undefined && peer.ackLists) {
    const taken: Delivery[] = [];
    for (const each of seqs) {
      const delivery = state.messages.bySeq(each);
      if (delivery?.given && take(peer, delivery)) taken.push(delivery);
    }
    router.delivered(taken);
  } else if (upTo !== undefined && from !== undefined && peer.cumulativeAck) {
    router.delivered(peer.pump.inflight.takeUpTo(topic ?? DEFAULT_TOPIC, from, upTo));
  }
};

/** A late ACK, of what was put back or has ended as a dead letter, counts as well (P16). */
function take(peer: Peer, delivery: Delivery): boolean {
  if (delivery.recipient !== peer.session?.name) return false;
  peer.pump.inflight.take(delivery);
  return true;
}

/** What was DELIVERed under that id; its seq, where the client names it as the spec shows, finds it at once. */
export function givenAs(messages: MessageTable, id: string, seq: number | undefined): Delivery | undefined {
  const delivery = seq === undefined ? undefined : messages.bySeq(seq);
  return delivery?.given && delivery.id === id ? delivery : messages.byDeliverId(id);
}
