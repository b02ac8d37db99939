/** RESUME: where the streams stand, then everything unacknowledged again. docs/protocol.md §8 (P8). */
import { RelayError } from '../../base/errors.ts';
import { newEnvelope } from '../../protocol/envelope.ts';
import type { Peer } from '../peer.ts';
import type { Relay } from '../relay.ts';
import { refusal } from '../tell.ts';
import type { Handler } from './handler.ts';

export const resume: Handler<'RESUME'> = (relay, peer, envelope) => {
  const { session_id: id, agent, streams = {} } = envelope.payload;
  const known = relay.state.sessions.get(id)?.name === agent;
  if (known && isStale(relay, agent, streams)) {
    peer.send(stale(relay, envelope.id, 'what came after that position is not kept any more'));
    return;
  }
  if (peer.state !== 'handshaking') {
    if (!known || peer.session?.id !== id) return peer.send(stale(relay, envelope.id));
    sync(relay, peer, streams);
    peer.pump.replay();
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

const stale = (relay: Relay, id: string, why = 'no such session to resume') =>
  newEnvelope('NACK', refusal(id, 'STALE', why), relay.clock.now());

type Positions = Record<string, { last_seq: number }>;

/** Something after the position was kept for its whole time and taken by nobody: no replay is whole. */
function isStale(relay: Relay, name: string, positions: Positions): boolean {
  for (const { topic, staleSeq } of relay.state.findMailbox(name)?.streams() ?? []) {
    if (Object.hasOwn(positions, topic) && (positions[topic]?.last_seq ?? 0) < staleSeq) return true;
  }
  return false;
}

function sync(relay: Relay, peer: Peer, positions: Positions): void {
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
