/** PING from a client: answered with its own payload. docs/protocol.md §7 (P2). */
import { newEnvelope } from '../../protocol/envelope.ts';
import type { Handler } from './handler.ts';

export const ping: Handler<'PING'> = (relay, peer, { payload }) => {
  peer.send(newEnvelope('PONG', payload, relay.clock.now()));
};
