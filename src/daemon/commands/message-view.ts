/** A message and its fate as the person is shown it: `relay-log`, `relay-dead-letters` (P22). */

import * as z from 'zod';
import { textOf } from '../../protocol/utf8.ts';
import type { Delivery, Message } from '../message.ts';

const deliveryView = z.object({
  /** Of the DELIVER; names one dead letter. */
  id: z.string(),
  to: z.string(),
  state: z.enum(['waiting', 'inflight', 'claimed', 'delivered', 'written', 'dead', 'storing']),
  /** Milliseconds of the wall clock; of those that have ended. */
  endedAt: z.number().optional(),
  code: z.string().optional(),
  reason: z.string().optional(),
});

export const messageView = z.object({
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

export type MessageView = z.input<typeof messageView>;

export function viewMessage(message: Message, deliveries: readonly Delivery[]): MessageView {
  const { id, at, from, to, topic, raw } = message;
  const { kind, body } = raw === undefined ? {} : JSON.parse(textOf(raw.payload));
  return {
    id,
    at,
    from,
    ...(to === undefined ? {} : { to }),
    ...(topic === undefined ? {} : { topic }),
    ...(typeof kind === 'string' ? { kind } : {}),
    ...(typeof body === 'string' ? { body } : {}),
    deliveries: deliveries.map(viewDelivery),
  };
}

const viewDelivery = ({ id, recipient, state, ended, endedAt, reason }: Delivery) => ({
  id,
  to: recipient,
  state,
  ...(ended ? { endedAt } : {}),
  ...(reason === undefined ? {} : { code: reason.code, reason: reason.text }),
});
