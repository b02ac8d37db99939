/** NACK of a DELIVER: given back (DEFERRED) or refused for good. docs/protocol.md §5 (P4). */
import type { Handler } from './handler.ts';

export const nack: Handler<'NACK'> = (relay, peer, { payload }) => {
  const delivery = relay.state.messages.byDeliverId(payload.ack_id);
  if (delivery === undefined || peer.session === undefined || !peer.pump.inflight.take(delivery)) return;
  if (payload.code === 'DEFERRED') relay.router.defer(delivery, peer.session.id);
  else relay.router.bury(delivery, payload.code, payload.message);
};
