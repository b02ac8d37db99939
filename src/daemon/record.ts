/**
 * Records: every promise of the daemon as one entry of the store. The state is a fold over them, live
 * and after a restart alike. docs/protocol.md §Records (P11, P12, P20).
 *
 * On disk: one line of JSON and, for a message, a line feed and payload and payload_meta as the sender
 * wrote them.
 */
import { RelayError } from '../base/errors.ts';
import { quoted, type RawParts } from '../protocol/envelope.ts';
import { isUuid } from '../protocol/ids.ts';
import type { Payload } from '../protocol/payloads.ts';
import { utf8, utf8Slice } from '../protocol/utf8.ts';
import type { SavedSession } from './session-table.ts';

/** The deduplication key of a SEND (P15). A NUL stands in no name, so keys cannot be forged. */
export const messageKey = (from: string, session: string, id: string): string =>
  isUuid(id) ? `${from}\0${id.toLowerCase()}` : `\0${session}\0${id}`;

/** One recipient of a message, fixed when it is stored (P17). Short keys: this is the hot record. */
export interface Recipient {
  name: string;
  seq: number;
  /** Wall clock, ms: when the message becomes a dead letter (P16). */
  until: number;
  /** The sender set `ttl_ms`: the recipient is told `until` as `expires_at`. */
  ttl?: true | undefined;
  /** The recipient was full: a dead letter from the start (P17). */
  full?: true | undefined;
}

export interface MessageRecord {
  t: 'message';
  /** P15: (from, id) or (session, id). */
  key: string;
  id: string;
  from: string;
  session: string;
  to?: string | undefined;
  topic?: string | undefined;
  at: number;
  /** The sender asked for `delivered`. */
  acks: boolean;
  /** Sent by a command: the sender has no connection to be told on. */
  command?: boolean | undefined;
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

/** What became of deliveries; format 1 had one `seq` instead. */
export interface EndedRecord {
  t: 'ended';
  seqs: number[];
  how: EndState;
  at: number;
  code?: string;
  text?: string;
}

export interface TokenRecord {
  hash: string;
  /** What logs call it. */
  id: string;
  until: number;
}

/** How a client takes DELIVERs (P13, P23). */
export type Capabilities = Pick<
  NonNullable<Payload<'HELLO'>['capabilities']>,
  'ack' | 'max_inflight' | 'cumulative_ack' | 'ack_lists'
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
      /** Hash of the resume token that led here: its client has no other, but the fresh one. */
      resumed?: string;
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
  | EndedRecord
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
  const { payload, payload_meta: meta = '' } = record.raw;
  return Buffer.from(`${messageLine(record)}\n${payload}${meta}`, 'latin1');
}

/** What JSON.stringify would write, at a fraction of its cost; names stand for themselves (P9). */
function messageLine(record: MessageRecord): string {
  const { id, from, session, to, topic, at, acks, command, recipients, raw } = record;
  let list = '';
  for (const { name, seq, until, ttl, full } of recipients) {
    list += `${list === '' ? '' : ','}{"name":"${name}","seq":${seq},"until":${until}`;
    list += `${ttl ? ',"ttl":true' : ''}${full ? ',"full":true' : ''}}`;
  }
  return (
    `{"t":"message","id":${quoted(id)},"from":"${from}","session":${quoted(session)}` +
    `${to === undefined ? '' : `,"to":"${to}"`}${topic === undefined ? '' : `,"topic":${quoted(topic)}`}` +
    `,"at":${at},"acks":${acks}${command ? ',"command":true' : ''},"recipients":[${list}]` +
    `,"bytes":${raw.payload.length}}`
  );
}

/** @throws RelayError STORE_CORRUPT for bytes that are no record of ours. */
export function decodeRecord(bytes: Buffer): RelayRecord {
  try {
    const end = bytes.indexOf(LINE_FEED);
    const head = JSON.parse(bytes.toString('utf8', 0, end === -1 ? bytes.length : end));
    if (typeof head !== 'object' || head === null || typeof head.t !== 'string') throw new Error('no type');
    if (head.t === 'ended' && head.seqs === undefined) return { ...head, seqs: [head.seq] };
    if (head.t !== 'message') return head as RelayRecord;
    const { length, bytes: own, key, ...message } = head;
    const raw = own === undefined ? oldRawParts(bytes, end + 1, length) : rawParts(bytes, end + 1, own);
    return { ...message, key: key ?? messageKey(head.from, head.session, head.id), raw } as MessageRecord;
  } catch (cause) {
    throw new RelayError('STORE_CORRUPT', 'a record that cannot be read', { cause });
  }
}

function rawParts(bytes: Buffer, start: number, length: number): RawParts {
  const end = start + length;
  const payload = utf8Slice(bytes, start, end);
  return end === bytes.length ? { payload } : { payload, payload_meta: utf8Slice(bytes, end, bytes.length) };
}

/** Format 1 counted the characters of the payload. */
function oldRawParts(bytes: Buffer, start: number, length: number): RawParts {
  const text = bytes.toString('utf8', start);
  const meta = text.slice(length);
  const payload = utf8(text.slice(0, length));
  return meta === '' ? { payload } : { payload, payload_meta: utf8(meta) };
}
