/**
 * Records: every promise of the daemon as one entry of the store. The state is a fold over them, live
 * and after a restart alike. docs/protocol.md §Records (P11, P12, P20).
 *
 * On disk: one line of JSON, a line feed and, for a message, the text of payload and payload_meta as the
 * sender wrote it.
 */
import { RelayError } from '../base/errors.ts';
import type { RawParts } from '../protocol/envelope.ts';
import type { Payload } from '../protocol/payloads.ts';
import type { SavedSession } from './session-table.ts';

/** One recipient of a message, fixed when it is stored (P17). Short keys: this is the hot record. */
export interface Recipient {
  name: string;
  seq: number;
  /** Wall clock, ms: when the message becomes a dead letter (P16). */
  until: number;
  /** The sender set `ttl_ms`: the recipient is told `until` as `expires_at`. */
  ttl?: true;
  /** The recipient was full: a dead letter from the start (P17). */
  full?: true;
}

export interface MessageRecord {
  t: 'message';
  /** P15: (from, id) or (session, id). */
  key: string;
  id: string;
  from: string;
  session: string;
  to?: string;
  topic?: string;
  at: number;
  /** The sender asked for `delivered`. */
  acks: boolean;
  /** Sent by a command: the sender has no connection to be told on. */
  command?: true;
  recipients: Recipient[];
  raw: RawParts;
}

/** Of a snapshot: a message whose text is gone, kept so that a repeat of it is known (P15). */
export interface PastRecord extends Omit<MessageRecord, 't' | 'raw'> {
  t: 'past';
  hash: string;
  size: number;
}

export type EndState = 'delivered' | 'written' | 'dead';

export interface TokenRecord {
  hash: string;
  /** What logs call it. */
  id: string;
  until: number;
}

/** How a client takes DELIVERs (P13, P23). */
export type Capabilities = Pick<
  NonNullable<Payload<'HELLO'>['capabilities']>,
  'ack' | 'max_inflight' | 'cumulative_ack'
>;

/** `v` counts the changes of a session, `opened` being the first: one that a snapshot holds is not made twice. */
export type SessionRecord =
  | { t: 'opened'; session: string; name: string; at: number; token?: TokenRecord; scoped?: string }
  | {
      t: 'token';
      session: string;
      v: number;
      at: number;
      token: TokenRecord;
      reconnect?: true;
      scoped?: string;
    }
  | {
      t: 'active';
      session: string;
      v: number;
      at: number;
      /** Hash of the fresh resume token. */
      resume: string;
      /** Hash of the handoff token that led here. */
      handoff?: string;
      injects: boolean;
      /** What else HELLO declared, for a RESUME that cannot. */
      can?: Capabilities;
      scoped?: string;
    }
  /** The first frame after WELCOME has come: the tokens before it are used up (P7). */
  | { t: 'answered'; session: string; v: number; at: number }
  | { t: 'left'; session: string; v: number; at: number }
  | { t: 'closed'; session: string; v: number; at: number; reason: string }
  | { t: 'expired'; session: string; v: number; at: number };

/** What only a snapshot holds: a whole session, a name that was seen, and what P15 has forgotten. */
export type SnapshotRecord =
  | PastRecord
  | { t: 'session'; session: SavedSession }
  | { t: 'seen'; name: string; at: number }
  | { t: 'dedup'; since: number };

export type RelayRecord =
  | MessageRecord
  | SnapshotRecord
  | { t: 'ended'; seq: number; how: EndState; at: number; code?: string; text?: string }
  | { t: 'deferred'; seq: number; session: string }
  | { t: 'hold'; from: string; to: string; until: number }
  | { t: 'release'; from: string; to: string }
  /** A person holds all that is for an agent, or lets it go on. */
  | { t: 'standstill'; name: string; on: boolean }
  /** A dead letter was thrown away, or sent anew as another message. */
  | { t: 'dropped'; seq: number }
  | { t: 'claim'; name: string; since: string | null; seqs: number[]; until: number }
  | { t: 'topic'; name: string; topic: string; on: boolean }
  | SessionRecord;

const LINE_FEED = 0x0a;

export function encodeRecord(record: RelayRecord): Buffer {
  if (record.t !== 'message') return Buffer.from(JSON.stringify(record));
  const { raw, ...head } = record;
  const line = JSON.stringify({ ...head, length: raw.payload.length });
  return Buffer.from(`${line}\n${raw.payload}${raw.payload_meta ?? ''}`);
}

/** @throws RelayError STORE_CORRUPT for bytes that are no record of ours. */
export function decodeRecord(bytes: Buffer): RelayRecord {
  try {
    const end = bytes.indexOf(LINE_FEED);
    const head = JSON.parse(bytes.toString('utf8', 0, end === -1 ? bytes.length : end));
    if (typeof head !== 'object' || head === null || typeof head.t !== 'string') throw new Error('no type');
    if (head.t !== 'message') return head as RelayRecord;
    const text = bytes.toString('utf8', end + 1);
    const { length, ...message } = head;
    const meta = text.slice(length);
    const raw: RawParts = { payload: text.slice(0, length), ...(meta === '' ? {} : { payload_meta: meta }) };
    return { ...message, raw } as MessageRecord;
  } catch (cause) {
    throw new RelayError('STORE_CORRUPT', 'a record that cannot be read', { cause });
  }
}
