/**
 * A SEND as our client writes it, recognised in one step instead of being parsed: the hot path of a daemon.
 * What matches is JSON, fits every schema and says what `parseEnvelope` would say of it; all else goes there.
 * docs/protocol.md §3 (P1, P4).
 */
import type { RawParts, SendEnvelope } from './envelope.ts';
import { MAX_ID_LENGTH, MAX_TOPIC_LENGTH } from './limits.ts';
import type { Payload, PayloadMeta } from './payloads.ts';
import { textOf, type Utf8, utf8Slice } from './utf8.ts';

/** Bytes up to which a body is looked at: an expression remembers every step it might have to take back. */
const MAX_BYTES = 4 * 1024;

/** What our client asks for, and many others. */
export const USUAL_META = '{"requires_ack":true}' as Utf8;
const ASKED: PayloadMeta = Object.freeze({ requires_ack: true });

/** ASCII that stands for itself in a string of JSON, and the same with escapes between. */
const plain = '[ !#-[\\]-~]';
const escaped = `${plain}*(?:\\\\(?:["\\\\/bfnrt]|u[0-9a-fA-F]{4})${plain}*)*`;

const HEAD = '{"v":1,"type":"SEND","id":"';
const TS = '","ts":';
const TO = ',"to":"';
const TOPIC = '","topic":"';
const TAIL = `,"payload_meta":${USUAL_META}}`;

const SEND = new RegExp(
  `^${HEAD.replace('{', '\\{')}(${plain}{1,${MAX_ID_LENGTH}})${TS}(0|[1-9]\\d{0,14})${TO}(${plain}*)"` +
    `(?:,"topic":"(${plain}{1,${MAX_TOPIC_LENGTH}})")?` +
    `,"payload":(\\{"kind":"${plain}{1,64}","body":"${escaped}"(?:,"thread":"${plain}{0,${MAX_ID_LENGTH}}")?\\})` +
    `${TAIL.replaceAll('{', '\\{').replaceAll('}', '\\}')}$`,
);

class PlainSend {
  readonly v = 1;
  readonly type = 'SEND';
  readonly id: string;
  readonly ts: number;
  readonly to: string;
  readonly topic: string | undefined;
  readonly payload_meta = ASKED;
  readonly raw: RawParts;

  constructor(id: string, ts: number, to: string, topic: string | undefined, payload: Utf8) {
    this.id = id;
    this.ts = ts;
    this.to = to;
    this.topic = topic;
    this.raw = { payload, payload_meta: USUAL_META };
  }

  /** Whoever only passes it on never asks. */
  get payload(): Payload<'SEND'> {
    return JSON.parse(textOf(this.raw.payload)) as Payload<'SEND'>;
  }
}

/** The SEND in the body of a frame; undefined if it is not one that can be told at once. `bytes` is all of it. */
export function plainSend(body: Buffer, bytes: Utf8): SendEnvelope | undefined {
  if (bytes.length > MAX_BYTES || !bytes.startsWith(HEAD)) return undefined;
  const found = SEND.exec(bytes);
  if (found === null) return undefined;
  const [, id, ts, to, topic, payload] = found as unknown as [string, string, string, string, string?, Utf8?];
  // Copies: a piece of a string keeps the whole of it.
  const toStart = HEAD.length + id.length + TS.length + ts.length + TO.length;
  const topicStart = toStart + to.length + TOPIC.length;
  const end = bytes.length - TAIL.length;
  return new PlainSend(
    utf8Slice(body, HEAD.length, HEAD.length + id.length),
    Number(ts),
    utf8Slice(body, toStart, toStart + to.length),
    topic && utf8Slice(body, topicStart, topicStart + topic.length),
    utf8Slice(body, end - (payload as Utf8).length, end),
  ) as SendEnvelope;
}
