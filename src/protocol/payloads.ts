/** The payload of every message type, as a zod schema. docs/protocol.md §3–§8 (spec §4–§8, P4). */
import * as z from 'zod';
import { MAX_ID_LENGTH, MAX_TOPIC_LENGTH } from './limits.ts';

const id = z.string().min(1).max(MAX_ID_LENGTH);
const topic = z.string().min(1).max(MAX_TOPIC_LENGTH);
const count = z.number().int().nonnegative();

export const helloPayload = z.looseObject({
  agent: z.string(),
  capabilities: z
    .looseObject({
      ack: z.boolean().optional(),
      resume: z.boolean().optional(),
      max_inflight: z.number().int().positive().optional(),
      supports_topics: z.boolean().optional(),
      /** Types into an agent: the brake of P18 and the name lease of P9 apply. */
      injects: z.boolean().optional(),
      cumulative_ack: z.boolean().optional(),
      /** Ours (P23): `seqs` in its ACKs, `ack_ids` in the daemon's. */
      ack_lists: z.boolean().optional(),
    })
    .optional(),
  session: z
    .looseObject({
      resume_token: z.string().max(256).optional(),
      /** P10: sha256 (hex) of what the agent's own children call with; the wrapper made it before the fork. */
      scoped_token_hash: z
        .string()
        .regex(/^[0-9a-f]{64}$/)
        .optional(),
    })
    .optional(),
});

export const welcomePayload = z.looseObject({
  session_id: z.string(),
  resume_token: z.string().optional(),
  /** P18: the person holds all that is for the name; said to who types only. */
  held: z.boolean().optional(),
  server: z.looseObject({
    max_frame_bytes: z.number().int().positive(),
    heartbeat_ms: z.number().positive(),
    epoch: count.optional(),
    version: z.string().optional(),
    store_format: count.optional(),
    dedup_since: z.number().optional(),
    capabilities: z
      .looseObject({ cumulative_ack: z.boolean().optional(), ack_lists: z.boolean().optional() })
      .optional(),
  }),
});

export const sendPayload = z.looseObject({
  kind: z.string().min(1).max(64).optional(),
  body: z.string().optional(),
  data: z.unknown().optional(),
  thread: z.string().max(MAX_ID_LENGTH).optional(),
});

export const payloadMeta = z.looseObject({
  requires_ack: z.boolean().optional(),
  ttl_ms: z.number().positive().optional(),
});

export const delivery = z.looseObject({
  seq: count,
  session_id: z.string(),
  originalTo: z.string().optional(),
  redelivered: z.boolean().optional(),
  expires_at: z.number().optional(),
});

/** What became of a SEND (P12, P13, P18). */
export const ACK_STAGES = ['stored', 'delivered', 'written', 'held'] as const;

export const ackPayload = z.looseObject({
  ack_id: id.optional(),
  seq: count.optional(),
  stage: z.enum(ACK_STAGES).optional(),
  to: z.string().optional(),
  recipients: z.array(z.string()).optional(),
  /** P23: acknowledges a stream up to a position, on this connection. */
  topic: topic.optional(),
  peer: z.string().optional(),
  up_to_seq: count.optional(),
  /** Ours (P23): SENDs that share a stage. */
  ack_ids: z.array(id).min(1).optional(),
  /** Ours (P23): DELIVERs, by their seq. */
  seqs: z.array(count).min(1).optional(),
});

export const nackPayload = z.looseObject({
  ack_id: id,
  code: z.string(),
  message: z.string(),
  suggestion: z.string().optional(),
  to: z.string().optional(),
});

export const errorPayload = z.looseObject({
  code: z.string(),
  message: z.string(),
  fatal: z.boolean().optional(),
  ref_id: z.string().optional(),
});

export const byePayload = z.looseObject({
  code: z.string().optional(),
  message: z.string().optional(),
  epoch: count.optional(),
});

export const busyPayload = z.looseObject({
  retry_after_ms: z.number().nonnegative(),
  queue_depth: count,
  /** Ours (P14): for whom so much waits. */
  to: z.string().optional(),
});

export const heartbeatPayload = z.looseObject({ nonce: z.string().max(256).optional() });

export const resumePayload = z.looseObject({
  session_id: z.string(),
  agent: z.string(),
  streams: z.record(z.string(), z.looseObject({ last_seq: count })).optional(),
});

export const syncPayload = z.looseObject({
  session_id: z.string(),
  streams: z.array(
    z.looseObject({ topic: z.string(), peer: z.string(), last_seq: count, server_last_seq: count }),
  ),
  /** P18: from now on the person holds all that is for the name, or does not; as in WELCOME. */
  held: z.boolean().optional(),
});

export const topicPayload = z.looseObject({ topic: topic.optional() });

/** Message type → schema of its payload: all fifteen of spec §3. */
export const PAYLOADS = {
  HELLO: helloPayload,
  WELCOME: welcomePayload,
  SEND: sendPayload,
  DELIVER: sendPayload,
  ACK: ackPayload,
  NACK: nackPayload,
  PING: heartbeatPayload,
  PONG: heartbeatPayload,
  ERROR: errorPayload,
  BUSY: busyPayload,
  RESUME: resumePayload,
  SYNC: syncPayload,
  BYE: byePayload,
  SUBSCRIBE: topicPayload,
  UNSUBSCRIBE: topicPayload,
} as const;

export type MessageType = keyof typeof PAYLOADS;
export type Payload<T extends MessageType> = z.infer<(typeof PAYLOADS)[T]>;
export type PayloadMeta = z.infer<typeof payloadMeta>;
export type Delivery = z.infer<typeof delivery>;
