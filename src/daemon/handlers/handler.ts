/** What serves one type of frame; what it throws is said to the peer. docs/protocol.md §3 (P5). */
import type { Envelope, EnvelopeOf } from '../../protocol/envelope.ts';
import type { Peer } from '../peer.ts';
import type { Relay } from '../relay.ts';

export type Handler<T extends Envelope['type']> = (relay: Relay, peer: Peer, envelope: EnvelopeOf<T>) => void;
