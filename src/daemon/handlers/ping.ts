/** PING from a client: answered with its own payload. docs/protocol.md §7 (P2). */
import { RelayError } from '../../base/errors.ts';
import { newEnvelope, renderEnvelope } from '../../protocol/envelope.ts';
import type { Handler } from './handler.ts';

export const ping: Handler<'PING'> = (relay, peer, { payload }) => {
  const pong = newEnvelope('PONG', payload, relay.clock.now());
  if (Buffer.byteLength(renderEnvelope(pong)) > relay.settings.maxFrameBytes) {
    throw new RelayError('MESSAGE_TOO_LARGE', 'the PONG to this PING does not fit into a frame');
  }
  peer.send(pong);
};
