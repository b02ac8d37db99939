/** relay-log: messages and their fates, for the person. docs/protocol.md §11 (P22). */
import * as z from 'zod';
import { defineCommand } from '../../afd/command.ts';
import { success } from '../../afd/result.ts';
import { MAX_LOG_BYTES, MAX_LOG_IDS } from '../../protocol/limits.ts';
import { type MessageView, messageView } from '../../protocol/message-view.ts';
import type { Caller } from '../caller.ts';
import type { Relay } from '../relay.ts';
import { viewMessage } from './message-view.ts';
import { requirePerson } from './person-only.ts';

const input = z.object({
  from: z.string().optional(),
  to: z.string().optional(),
  topic: z.string().optional(),
  ids: z.array(z.string()).max(MAX_LOG_IDS).optional().describe('only messages with one of these ids'),
  since: z.number().optional().describe('stored at or after this time: milliseconds since the epoch'),
  waiting: z.boolean().default(false).describe('only what waits undelivered'),
  limit: z
    .number()
    .int()
    .min(1)
    .max(10_000)
    .default(100)
    .describe('the newest so many, fewer where their texts are long'),
  skip: z
    .number()
    .int()
    .min(0)
    .default(0)
    .describe('go back from there: the next of the answer before; messages may come twice, none is left out'),
});
const output = z.object({
  messages: z.array(messageView),
  more: z.boolean(),
  next: z.number().optional().describe('if there are more'),
});

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
    handler({ from, to, topic, ids, since = 0, waiting, limit, skip }, ctx) {
      requirePerson(ctx.caller as Caller);
      const wanted = ids === undefined ? undefined : new Set(ids);
      const found: MessageView[] = [];
      let bytes = 0;
      // All that are stored, whatever is asked for: only so does the count mean the same in the next call.
      let looked = 0;
      let more = false;
      // The newest are asked for most, and stand at the end.
      for (const message of [...relay.state.messages.all()].reverse()) {
        if (!message.stored || looked++ < skip) continue;
        if (message.at < since || wanted?.has(message.id) === false) continue;
        if (from !== undefined && message.from !== from) continue;
        if (topic !== undefined && message.topic !== topic) continue;
        const deliveries = message.deliveries.filter(
          ({ recipient, ended }) => (to === undefined || recipient === to) && !(waiting && ended),
        );
        if (deliveries.length === 0 && (to !== undefined || waiting)) continue;
        bytes += message.raw === undefined ? 0 : message.size;
        more = found.length === limit || (found.length > 0 && bytes > MAX_LOG_BYTES);
        if (more) break;
        found.push(viewMessage(message, deliveries));
      }
      return success({ messages: found.reverse(), more, ...(more ? { next: looked - 1 } : {}) });
    },
  });
