/** HELLO: a new session, one taken up again, or one taken over. docs/protocol.md §4 (P7, P9). */
import { RelayError } from '../../base/errors.ts';
import type { Handler } from './handler.ts';

export const hello: Handler<'HELLO'> = (relay, peer, envelope) => {
  if (peer.state !== 'handshaking') throw new RelayError('BAD_REQUEST', 'a second HELLO on one connection');
  try {
    const session = relay.sessions.admit(envelope.payload, (admission) => {
      peer.welcome(admission);
      relay.router.welcomed(admission.session.name);
    });
    peer.bind(session, envelope.payload.capabilities);
  } catch (error) {
    peer.fail(RelayError.from(error));
  }
};
