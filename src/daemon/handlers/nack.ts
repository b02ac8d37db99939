/** NACK of a DELIVER: given back (DEFERRED) or refused for good. docs/protocol.md §5 (P4). */
import { sanitizeLine } from '../../base/sanitize.ts';
import { MAX_REASON_CODE_LENGTH, MAX_REASON_LENGTH } from '../../protocol/limits.ts';
import type { Handler } from './handler.ts';

export const nack: Handler<'NACK'> = (relay, peer, { payload }) => {
  const delivery = relay.state.messages.byDeliverId(payload.ack_id);
  if (delivery === undefined || peer.session === undefined || !peer.pump.inflight.take(delivery)) return;
  if (payload.code === 'DEFERRED') relay.router.defer(delivery, peer.session.id);
  else {
    const { code, message } = payload;
    relay.router.bury(delivery, words(code, MAX_REASON_CODE_LENGTH), words(message, MAX_REASON_LENGTH));
  }
};

/** The recipient's words as the sender, its agent and the person may be shown them: one line, of some length. */
const words = (text: string, length: number): string => sanitizeLine(text.slice(0, length));
