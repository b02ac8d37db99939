/** Envelopes: bytes ⇄ the one JSON object of a frame. docs/protocol.md §3 (spec §3, P1, P5). */
import { isAscii } from 'node:buffer';
import type * as z from 'zod';
import { RelayError } from '../base/errors.ts';
import { fitsDelivery, fitsMeta, fitsPayload, isId, isObject } from './fits.ts';
import { encodeFrame } from './frame.ts';
import { newId } from './ids.ts';
import { MAX_ID_LENGTH, MAX_JSON_DEPTH, MAX_TOPIC_LENGTH } from './limits.ts';
import { memberSpans, nestsDeeper } from './members.ts';
import {
  type Delivery,
  delivery,
  type MessageType,
  PAYLOADS,
  type Payload,
  type PayloadMeta,
  payloadMeta,
} from './payloads.ts';
import { plainSend, USUAL_META } from './plain-send.ts';
import { type Utf8, utf8, utf8Slice } from './utf8.ts';

const decoder = new TextDecoder('utf-8', { fatal: true });

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

/** `payload` and `payload_meta` as they came over the wire (P1). */
export interface RawParts {
  payload: Utf8;
  payload_meta?: Utf8;
}

export type SendEnvelope = Base<'SEND'> & { payload_meta?: PayloadMeta; raw: RawParts };
export type DeliverEnvelope = Base<'DELIVER'> & { payload_meta?: PayloadMeta; delivery: Delivery };
type PlainType = Exclude<MessageType, 'SEND' | 'DELIVER'>;
export type PlainEnvelope = { [T in PlainType]: Base<T> }[PlainType];

/** Everything that can come out of a frame. */
export type Envelope = SendEnvelope | DeliverEnvelope | PlainEnvelope;
export type EnvelopeOf<T extends MessageType> = Extract<Envelope, { type: T }>;

function badRequest(message: string, id: unknown): RelayError {
  return new RelayError('BAD_REQUEST', message, isId(id) ? { details: { refId: id } } : {});
}

function decoded(body: Buffer): string {
  try {
    return decoder.decode(body);
  } catch (cause) {
    throw new RelayError('BAD_FRAME', 'a frame that is not UTF-8', { cause });
  }
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const object: unknown = JSON.parse(text);
    if (isObject(object)) return object;
  } catch (cause) {
    throw new RelayError('BAD_FRAME', 'a frame that is not JSON', { cause });
  }
  throw new RelayError('BAD_FRAME', 'a frame whose JSON is not an object');
}

function check(type: MessageType, object: Record<string, unknown>): void {
  const { id, payload, payload_meta: meta } = object;
  const expectFit = (schema: z.ZodType, value: unknown, at: string): void => {
    const result = schema.safeParse(value);
    if (!result.success) throw badRequest(`${type}: ${wording(result.error, at)}`, id);
  };
  if (!fitsPayload(type, payload as Record<string, unknown>)) expectFit(PAYLOADS[type], payload, 'payload');
  if (type !== 'SEND' && type !== 'DELIVER') return;
  if (meta !== undefined && !fitsMeta(meta)) expectFit(payloadMeta, meta, 'payload_meta');
  if (type === 'DELIVER' && !fitsDelivery(object.delivery)) expectFit(delivery, object.delivery, 'delivery');
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
export function parseEnvelope(body: Buffer): Envelope {
  const bytes = utf8Slice(body);
  return plainSend(body, bytes) ?? parseAnyEnvelope(body, bytes);
}

/** The same by parsing it. */
export function parseAnyEnvelope(body: Buffer, bytes: Utf8 = utf8Slice(body)): Envelope {
  const object = parseObject(isAscii(body) ? bytes : decoded(body));
  const { type, id } = object;
  // Before anything of it is written anew, which recurses.
  if (nestsDeeper(bytes, MAX_JSON_DEPTH)) throw badRequest(`nested deeper than ${MAX_JSON_DEPTH}`, id);
  if (object.v !== 1) {
    throw new RelayError('UNSUPPORTED_VERSION', `protocol version ${JSON.stringify(object.v)?.slice(0, 40)}`);
  }
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
  if (type === 'SEND') object.raw = rawParts(body, bytes);
  return object as unknown as Envelope;
}

/** Copies, so that what is kept of a message keeps nothing else of what came with it. */
function rawParts(body: Buffer, bytes: Utf8): RawParts {
  const { payload: own, payload_meta: meta } = memberSpans(bytes, ['payload', 'payload_meta']);
  const payload = utf8Slice(body, own?.start ?? 0, own?.end ?? 0);
  if (meta === undefined) return { payload };
  const usual = meta.end - meta.start === USUAL_META.length && bytes.startsWith(USUAL_META, meta.start);
  return { payload, payload_meta: usual ? USUAL_META : utf8Slice(body, meta.start, meta.end) };
}

/** A new envelope with a fresh id; `ts` is the writer's wall clock. */
export function newEnvelope<T extends MessageType>(
  type: T,
  payload: Payload<T>,
  ts: number,
  more: { id?: string; to?: string; topic?: string; payload_meta?: PayloadMeta } = {},
): EnvelopeOf<T> {
  const { id = newId(), to, topic, payload_meta } = more;
  return { v: 1, type, id, ts, to, topic, payload, payload_meta } as unknown as EnvelopeOf<T>;
}

/** An envelope → its JSON. A SEND's `raw` stays behind: it is the reader's view. */
export function renderEnvelope(envelope: Envelope): string {
  if (envelope.type !== 'SEND' || envelope.raw === undefined) return JSON.stringify(envelope);
  const { raw: _raw, ...wire } = envelope;
  return JSON.stringify(wire);
}

/** An envelope → the bytes of one frame. */
export const encodeEnvelope = (envelope: Envelope): Buffer => encodeFrame(renderEnvelope(envelope));

/**
 * The JSON of a DELIVER, in UTF-8, whose payload is forwarded as its sender wrote it (P1). Names are words
 * that stand for themselves in JSON (P9).
 */
export function renderDeliver(
  head: { id: string; ts: number; from: string; to: string; topic?: string | undefined },
  raw: RawParts,
  { seq, session_id: session, originalTo, redelivered, expires_at: expires }: Delivery,
): Utf8 {
  const { topic } = head;
  const about = `${topic === undefined ? '' : `,"topic":${quoted(topic)}`}`;
  const meta = raw.payload_meta === undefined ? '' : `,"payload_meta":${raw.payload_meta}`;
  const original = originalTo === undefined ? '' : `,"originalTo":${quoted(originalTo)}`;
  const more = `${original}${redelivered ? ',"redelivered":true' : ''}${expires === undefined ? '' : `,"expires_at":${expires}`}`;
  return (`{"v":1,"type":"DELIVER","id":"${head.id}","ts":${head.ts},"from":"${head.from}","to":"${head.to}"` +
    `${about},"payload":${raw.payload}${meta},"delivery":{"seq":${seq},"session_id":"${session}"${more}}}`) as Utf8;
}

/** What stands for itself in JSON. */
const PLAIN = /^[\w .:@/-]*$/;

/** A string as JSON in UTF-8. */
export const quoted = (text: string): Utf8 =>
  PLAIN.test(text) ? (`"${text}"` as Utf8) : utf8(JSON.stringify(text));
