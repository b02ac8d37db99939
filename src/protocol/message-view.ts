/**
 * A message as commands of the relay show it: `relay-log` and `relay-dead-letters` to the person, with its
 * fate; `relay-poll` to whoever reads it. docs/protocol.md §9, §11 (P22, P27).
 */
import * as z from 'zod';

const deliveryView = z.looseObject({
  /** Of the DELIVER; names one dead letter. */
  id: z.string(),
  to: z.string(),
  state: z.string().describe('waiting, inflight, claimed, delivered, written, dead or storing'),
  /** Milliseconds of the wall clock; of those that have ended. */
  endedAt: z.number().optional(),
  code: z.string().optional(),
  reason: z.string().optional(),
});

export const messageView = z.looseObject({
  id: z.string(),
  at: z.number(),
  from: z.string(),
  to: z.string().optional(),
  topic: z.string().optional(),
  kind: z.string().optional(),
  /** Undefined once the text was forgotten. */
  body: z.string().optional(),
  deliveries: z.array(deliveryView),
});

export type MessageView = z.infer<typeof messageView>;

export const polledMessage = z.looseObject({
  id: z.string(),
  from: z.string(),
  to: z.string(),
  topic: z.string().optional(),
  ts: z.number(),
  seq: z.number(),
  kind: z.string().optional(),
  body: z.string().optional(),
  thread: z.string().optional(),
  data: z.unknown().optional(),
  redelivered: z.boolean().optional().describe('the reader may have seen it before'),
  expiresAt: z.number().optional(),
});

export type PolledMessage = z.infer<typeof polledMessage>;
