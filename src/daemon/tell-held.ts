/** Tells a client that types whether its person holds what is for it. docs/protocol.md §5 (P18). */
import { newEnvelope } from '../protocol/envelope.ts';
import type { Peer } from './peer.ts';
import type { Relay } from './relay.ts';

/** What it has been given already waits there, too. Resolves when it has read that, or has had time to. */
export async function tellHeld({ clock }: Relay, peer: Peer, held: boolean): Promise<void> {
  const { session, state } = peer;
  // Who is being welcomed is told by WELCOME.
  if (session?.injects !== true || state !== 'ready') return;
  peer.send(newEnvelope('SYNC', { session_id: session.id, streams: [], held }, clock.now()));
  await peer.readers.read();
}
