/** Which handler serves a frame, and which frames a connection may send when. docs/protocol.md §3, §4 (P5). */
import { RelayError } from '../../base/errors.ts';
import type { Envelope } from '../../protocol/envelope.ts';
import type { Peer } from '../peer.ts';
import type { Relay } from '../relay.ts';
import { ack } from './ack.ts';
import { bye } from './bye.ts';
import { hello } from './hello.ts';
import { nack } from './nack.ts';
import { ping } from './ping.ts';
import { resume } from './resume.ts';
import { send } from './send.ts';
import { subscribe, unsubscribe } from './subscribe.ts';

/** Serves a frame. A RelayError is said to the peer, and the connection stays; any other is our fault, and its end. */
export function handle(relay: Relay, peer: Peer, envelope: Envelope): void {
  try {
    dispatch(relay, peer, envelope);
  } catch (thrown) {
    const error = RelayError.from(thrown);
    if (error.code !== 'INTERNAL') {
      peer.refuse(error, envelope.id);
      return;
    }
    relay.log.error('peer.handler_threw', { type: envelope.type, error: thrown });
    peer.fail(new RelayError('INTERNAL', 'the daemon failed on this frame'));
  }
}

function dispatch(relay: Relay, peer: Peer, envelope: Envelope): void {
  if (relay.recovery.running) {
    relay.recovery.postpone(peer, envelope);
    return;
  }
  if (peer.state === 'handshaking' && envelope.type !== 'HELLO' && envelope.type !== 'RESUME') {
    throw new RelayError('BAD_REQUEST', `${envelope.type} before HELLO`);
  }
  // After its BYE, or once another took its session over: nothing more counts.
  if (peer.state !== 'handshaking' && peer.session === undefined) return;
  switch (envelope.type) {
    case 'HELLO':
      return hello(relay, peer, envelope);
    case 'RESUME':
      return resume(relay, peer, envelope);
    case 'SEND':
      return send(relay, peer, envelope);
    case 'ACK':
      return ack(relay, peer, envelope);
    case 'NACK':
      return nack(relay, peer, envelope);
    case 'PING':
      return ping(relay, peer, envelope);
    case 'PONG':
      return peer.readers.ponged(envelope.payload.nonce);
    case 'BYE':
      return bye(relay, peer, envelope);
    case 'SUBSCRIBE':
      return subscribe(relay, peer, envelope);
    case 'UNSUBSCRIBE':
      return unsubscribe(relay, peer, envelope);
    default:
      throw new RelayError('BAD_REQUEST', `${envelope.type} is for the daemon to send`);
  }
}
