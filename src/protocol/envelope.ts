/** Envelopes: bytes ⇄ the one JSON object of a frame. docs/protocol.md §3 (spec §3, P1, P5). */
import { RelayError } from '../base/errors.ts';
import { encodeFrame } from './frame.ts';
import { newId } from './ids.ts';
import { MAX_ID_LENGTH, MAX_TOPIC_LENGTH } from './limits.ts';
import { rawMembers } from './members.ts';
import {
  type Delivery,
  delivery,
  type MessageType,
  PAYLOADS,
  type Payload,
  type PayloadMeta,
  payloadMeta,
} from './payloads.ts';

interface Base<T extends MessageType> {
  v: 1;
  type: T;
  id: string;
  /** Milliseconds since the epoch, by the writer's clock. */
  ts: number;
  from?: string;
  to?: string;
  topic?: string;
  payload: Payload<T>;
}

/** The text of `payload` and `payload_meta` as it came over the wire (P1). */
export interface RawParts {
  payload: string;
  payload_meta?: string;
}

export type SendEnvelope = Base<'SEND'> & { payload_meta?: PayloadMeta; raw: RawParts };
export type DeliverEnvelope = Base<'DELIVER'> & { payload_meta?: PayloadMeta; delivery: Delivery };
type PlainType = Exclude<MessageType, 'SEND' | 'DELIVER'>;
export type PlainEnvelope = { [T in PlainType]: Base<T> }[PlainType];

/** Everything that can come out of a frame. */
export type Envelope = SendEnvelope | DeliverEnvelope | PlainEnvelope;
export type EnvelopeOf<T extends MessageType> = Extract<Envelope, { type: T }>;

const decoder = new TextDecoder('utf-8', { fatal: true });

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isId = (value: unknown): value is string =>
  typeof value === 'string' && value.length >= 1 && value.length <= MAX_ID_LENGTH;

function badRequest(message: string, id: unknown): RelayError {
  return new RelayError('BAD_REQUEST', message, isId(id) ? { details: { refId: id } } : {});
}

function parseObject(body: Uint8Array): { text: string; object: Record<string, unknown> } {
  try {
    const text = decoder.decode(body);
    const object: unknown = JSON.parse(text);
    if (isObject(object)) return { text, object };
  } catch (cause) {
    throw new RelayError('BAD_FRAME', 'a frame that is not JSON in UTF-8', { cause });
  }
  throw new RelayError('BAD_FRAME', 'a frame whose JSON is not an object');
}

/** The hot path: a plain SEND, DELIVER or ACK is judged by hand; zod words the refusal of the rest. */
function fitsByHand(type: MessageType, payload: Record<string, unknown>): boolean {
  switch (type) {
    case 'SEND':
    case 'DELIVER':
      return (
        typeof payload.body === 'string' &&
        (payload.kind === undefined ||
          (typeof payload.kind === 'string' && payload.kind.length >= 1 && payload.kind.length <= 64)) &&
        payload.thread === undefined
      );
    case 'ACK':
      return isId(payload.ack_id) && Object.keys(payload).length === 1;
    default:
      return false;
  }
}

function check(type: MessageType, object: Record<string, unknown>): void {
  if (!fitsByHand(type, object.payload as Record<string, unknown>)) {
    const result = PAYLOADS[type].safeParse(object.payload);
    if (!result.success) throw badRequest(`${type}: ${wording(result.error, 'payload')}`, object.id);
  }
  if ((type === 'SEND' || type === 'DELIVER') && object.payload_meta !== undefined) {
    const result = payloadMeta.safeParse(object.payload_meta);
    if (!result.success) throw badRequest(`${type}: ${wording(result.error, 'payload_meta')}`, object.id);
  }
  if (type === 'DELIVER') {
    const result = delivery.safeParse(object.delivery);
    if (!result.success) throw badRequest(`${type}: ${wording(result.error, 'delivery')}`, object.id);
  }
}

function wording(
  error: { issues: readonly { path: readonly PropertyKey[]; message: string }[] },
  at: string,
): string {
  const issue = error.issues[0];
  return issue === undefined ? at : `${[at, ...issue.path].join('.')}: ${issue.message}`;
}

/**
 * The body of a frame → an envelope. Throws BAD_FRAME or UNSUPPORTED_VERSION (the connection ends) or
 * BAD_REQUEST (it stays; `details.refId` is the envelope's id if it has one). Unknown keys are kept.
 */
export function parseEnvelope(body: Uint8Array): Envelope {
  const { text, object } = parseObject(body);
  if (object.v !== 1) {
    throw new RelayError('UNSUPPORTED_VERSION', `protocol version ${JSON.stringify(object.v)?.slice(0, 40)}`);
  }
  const { type, id } = object;
  if (typeof type !== 'string' || !Object.hasOwn(PAYLOADS, type)) {
    throw badRequest(`unknown type ${JSON.stringify(type)?.slice(0, 40)}`, id);
  }
  if (!isId(id)) throw badRequest(`${type}: id must be a string of 1–${MAX_ID_LENGTH} characters`, undefined);
  if (typeof object.ts !== 'number') throw badRequest(`${type}: ts must be a number`, id);
  for (const key of ['from', 'to'] as const) {
    if (object[key] !== undefined && typeof object[key] !== 'string')
      throw badRequest(`${type}: ${key} must be a string`, id);
  }
  const { topic } = object;
  if (topic !== undefined && (typeof topic !== 'string' || topic === '' || topic.length > MAX_TOPIC_LENGTH)) {
    throw badRequest(`${type}: topic must be a string of 1–${MAX_TOPIC_LENGTH} characters`, id);
  }
  if (!isObject(object.payload)) throw badRequest(`${type}: payload must be an object`, id);
  check(type as MessageType, object);
  if (type === 'SEND') object.raw = rawMembers(text, ['payload', 'payload_meta']);
  return object as unknown as Envelope;
}

/** A new envelope with a fresh id; `ts` is the writer's wall clock. */
export function newEnvelope<T extends MessageType>(
  type: T,
  payload: Payload<T>,
  ts: number,
  more: { id?: string; to?: string; topic?: string; payload_meta?: PayloadMeta } = {},
): EnvelopeOf<T> {
  return { v: 1, type, id: newId(), ts, ...more, payload } as unknown as EnvelopeOf<T>;
}

/** An envelope → the bytes of one frame. A SEND's `raw` stays behind: it is the reader's view. */
export function encodeEnvelope(envelope: Envelope): Buffer {
  if (envelope.type !== 'SEND') return encodeFrame(JSON.stringify(envelope));
  const { raw: _raw, ...wire } = envelope;
  return encodeFrame(JSON.stringify(wire));
}

/** The frame of a DELIVER whose payload is forwarded as its sender wrote it (P1). */
export function encodeDeliver(
  head: { id: string; ts: number; from: string; to: string; topic?: string },
  raw: RawParts,
  details: Delivery,
): Buffer {
  const { topic } = head;
  return encodeFrame(
    `{"v":1,"type":"DELIVER","id":${JSON.stringify(head.id)},"ts":${head.ts},"from":${JSON.stringify(head.from)}` +
      `,"to":${JSON.stringify(head.to)}${topic === undefined ? '' : `,"topic":${JSON.stringify(topic)}`}` +
      `,"payload":${raw.payload}${raw.payload_meta === undefined ? '' : `,"payload_meta":${raw.payload_meta}`}` +
      `,"delivery":${JSON.stringify(details)}}`,
  );
}
