/** What a client of the relay is given, and what it tells. */
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { DeliverEnvelope } from '../protocol/envelope.ts';
import type { Payload } from '../protocol/payloads.ts';
import type { Attachment } from './attachment.ts';
import type { Fate } from './fate.ts';
import type { OutboxLimits } from './outbox.ts';
import type { Spill } from './spill.ts';

/** Spec §10; `suspended` while the process is stopped by its person. */
export type ClientState =
  | 'disconnected'
  | 'connecting'
  | 'handshaking'
  | 'ready'
  | 'backoff'
  | 'suspended'
  | 'closed';

export interface RelayClientOptions {
  /** Finds the relay or becomes it; a leader that does not answer is replaced (P20). */
  attach: () => Promise<Attachment>;
  /** The name to have. */
  identity: { agent: string };
  /** What relay-connect answered to who asked it for that name before (P10); absent: the client asks. */
  answer?: unknown;
  capabilities: NonNullable<Payload<'HELLO'>['capabilities']>;
  topics?: readonly string[];
  /** sha256 (hex) of the token by which the agent's own children speak (P10). */
  scopedTokenHash?: string;
  /** Where the outbox lies on disk; absent: in memory only, and it ends with the process. */
  spill?: Spill;
  /** What the outbox holds at most, in memory and at all; absent: what a relay would hold for us (limits.ts). */
  outbox?: OutboxLimits;
  clock: Clock;
  log: Log;
  /** In [0, 1). */
  random: () => number;
}

export interface RelayClientHandlers {
  /** A message for us, handed on once. End it with `ack` or `refuse`. */
  delivery(envelope: DeliverEnvelope): void;
  /** Deliveries handed on and not ended are the daemon's again; they must not be typed. */
  released?(ids: readonly string[]): void;
  /** What became of something we sent. */
  fate?(fate: Fate): void;
  stateChanged?(state: ClientState): void;
  /** The person holds all that is for us, or does not (P18): said before READY, and when it changes. */
  held?(held: boolean): void;
}

export interface Outgoing {
  to?: string | undefined;
  topic?: string | undefined;
  payload: Payload<'SEND'>;
  ttlMs?: number;
  /** A UUID derived from where the message came from makes a repeat of it known as one (P15). */
  id?: string;
}
