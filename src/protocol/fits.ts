/**
 * The payloads of the hot path judged by hand: what fits here fits its schema, and the schema words the
 * refusal of the rest. docs/protocol.md §3 (P4).
 */
import { MAX_ID_LENGTH } from './limits.ts';
import { ACK_STAGES, type MessageType } from './payloads.ts';

type Members = Record<string, unknown>;

export const isObject = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const isId = (value: unknown): value is string =>
  typeof value === 'string' && value.length >= 1 && value.length <= MAX_ID_LENGTH;

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;

const isText = (value: unknown): boolean => value === undefined || typeof value === 'string';

const isFlag = (value: unknown): boolean => value === undefined || typeof value === 'boolean';

/** Every element of a list that is not empty. */
const isList = (value: unknown, fits: (element: unknown) => boolean): boolean =>
  Array.isArray(value) && value.length > 0 && value.every(fits);

/** Whether a payload certainly fits the schema of its type; false says nothing. */
export function fitsPayload(type: MessageType, payload: Members): boolean {
  if (type === 'SEND' || type === 'DELIVER') return fitsSend(payload);
  return type === 'ACK' && fitsAck(payload);
}

/** The same of `payload_meta`. */
export function fitsMeta(meta: unknown): boolean {
  if (!isObject(meta)) return false;
  const { requires_ack: asked, ttl_ms: ttl } = meta;
  return isFlag(asked) && (ttl === undefined || (Number.isFinite(ttl) && (ttl as number) > 0));
}

/** The same of `delivery`. */
export function fitsDelivery(delivery: unknown): boolean {
  if (!isObject(delivery)) return false;
  const { seq, session_id: session, originalTo, redelivered, expires_at: expires } = delivery;
  return (
    isCount(seq) &&
    typeof session === 'string' &&
    isText(originalTo) &&
    isFlag(redelivered) &&
    (expires === undefined || Number.isFinite(expires))
  );
}

function fitsSend({ kind, body, thread }: Members): boolean {
  return (
    isText(body) &&
    (kind === undefined || (typeof kind === 'string' && kind.length >= 1 && kind.length <= 64)) &&
    (thread === undefined || (typeof thread === 'string' && thread.length <= MAX_ID_LENGTH))
  );
}

function fitsAck(payload: Members): boolean {
  for (const name of Object.keys(payload)) {
    const value = payload[name];
    if (name === 'ack_id') {
      if (!isId(value)) return false;
    } else if (name === 'seq') {
      if (!isCount(value)) return false;
    } else if (name === 'to') {
      if (typeof value !== 'string') return false;
    } else if (name === 'stage') {
      if (!(ACK_STAGES as readonly unknown[]).includes(value)) return false;
    } else if (name === 'ack_ids') {
      if (!isList(value, isId)) return false;
    } else if (name !== 'seqs' || !isList(value, isCount)) return false;
  }
  return true;
}
