/** relay-log: messages and their fates, for the person. docs/protocol.md §11 (P22). */
import * as z from 'zod';
import { defineCommand } from '../../afd/command.ts';
import { success } from '../../afd/result.ts';
import { type MessageView, messageView } from '../../protocol/message-view.ts';
import type { Caller } from '../caller.ts';
import type { Relay } from '../relay.ts';
import { viewMessage } from './message-view.ts';
import { requirePerson } from './person-only.ts';

const input = z.object({
  from: z.string().optional(),
  to: z.string().optional(),
  topic: z.string().optional(),
  /** One message by its id. */
  id: z.string().optional(),
  /** Stored at or after this time, milliseconds of the wall clock. */
  since: z.number().optional(),
  /** Only what waits undelivered. */
  waiting: z.boolean().default(false),
  /** The newest so many. */
  limit: z.number().int().min(1).max(10_000).default(100),
});
const output = z.object({ messages: z.array(messageView), more: z.boolean() });

export const relayLog = (relay: Relay) =>
  defineCommand({
    name: 'relay-log',
    description: 'List messages and what became of each; the texts of old ones are forgotten',
    category: 'relay',
    tags: ['relay', 'read'],
    input,
    output,
    errors: ['FORBIDDEN'],
    examples: [{ title: 'What waits for bob', input: { to: 'bob', waiting: true } }],
    handler({ from, to, topic, id, since = 0, waiting, limit }, ctx) {
      requirePerson(ctx.caller as Caller);
      const found: MessageView[] = [];
      let more = false;
      // The newest are asked for most, and stand at the end.
      for (const message of [...relay.state.messages.all()].reverse()) {
        if (!message.stored || message.at < since || (id !== undefined && message.id !== id)) continue;
        if (from !== undefined && message.from !== from) continue;
        if (topic !== undefined && message.topic !== topic) continue;
        const deliveries = message.deliveries.filter(
          ({ recipient, ended }) => (to === undefined || recipient === to) && !(waiting && ended),
        );
        if (deliveries.length === 0 && (to !== undefined || waiting)) continue;
        more = found.length === limit;
        if (more) break;
        found.push(viewMessage(message, deliveries));
      }
      return success({ messages: found.reverse(), more });
    },
  });
