/** RESUME: where the streams stand, then everything unacknowledged again. docs/protocol.md §8 (P8). */
import { RelayError } from '../../base/errors.ts';
import { newEnvelope } from '../../protocol/envelope.ts';
import type { Handler, Peer } from '../peer.ts';
import type { Relay } from '../relay.ts';
import { refusal } from '../tell.ts';

export const resume: Handler<'RESUME'> = (relay, peer, envelope) => {
  const { session_id: id, agent, streams = {} } = envelope.payload;
  if (peer.state !== 'handshaking') {
    if (peer.session?.id === id && peer.session.name === agent) sync(relay, peer, streams);
    else peer.send(stale(relay, envelope.id));
    return;
  }
  try {
    const session = relay.sessions.resume(id, agent, (admission) => {
      peer.welcome(admission);
      sync(relay, peer, streams);
      relay.router.welcomed(agent);
    });
    // RESUME has no place for capabilities: those of the session's HELLO hold.
    peer.bind(session, session.can);
  } catch (thrown) {
    const error = RelayError.from(thrown);
    // The connection stays: the client may send a fresh HELLO on it (spec §8).
    if (error.code === 'STALE') peer.send(stale(relay, envelope.id));
    else peer.fail(error);
  }
};

const stale = (relay: Relay, id: string) =>
  newEnvelope('NACK', refusal(id, 'STALE', 'no such session to resume'), relay.clock.now());

function sync(relay: Relay, peer: Peer, positions: Record<string, { last_seq: number }>): void {
  const session = peer.session;
  if (session === undefined) return;
  const streams = [];
  for (const { topic, from, lastSeq } of relay.state.mailbox(session.name).streams()) {
    const position = Object.hasOwn(positions, topic) ? positions[topic] : undefined;
    if (position === undefined) continue;
    streams.push({ topic, peer: from, last_seq: position.last_seq, server_last_seq: lastSeq });
  }
  peer.send(newEnvelope('SYNC', { session_id: session.id, streams }, relay.clock.now()));
}
