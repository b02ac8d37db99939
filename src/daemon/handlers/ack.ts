/** ACK of a DELIVER: the recipient has taken it over. docs/protocol.md §5 (P12, P13, P16, P23). */
import { DEFAULT_TOPIC } from '../../protocol/address.ts';
import type { Handler } from '../peer.ts';

export const ack: Handler<'ACK'> = (relay, peer, { payload }) => {
  const { ack_id: id, topic, peer: from, up_to_seq: upTo } = payload;
  if (id !== undefined) {
    // A late ACK, of what was put back or has ended as a dead letter, counts as well (P16).
    const delivery = peer.inflight.take(id) ?? relay.state.messages.byDeliverId(id);
    if (delivery?.recipient === peer.session?.name && delivery) relay.router.delivered(delivery);
  } else if (upTo !== undefined && from !== undefined && peer.cumulativeAck) {
    for (const delivery of peer.inflight.takeUpTo(topic ?? DEFAULT_TOPIC, from, upTo)) {
      relay.router.delivered(delivery);
    }
  }
};
