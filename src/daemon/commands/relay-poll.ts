/** relay-poll: messages for whoever calls, without a connection. Checklist 29–30 (P27). */

import * as z from 'zod';
import { defineCommand } from '../../afd/command.ts';
import { success } from '../../afd/result.ts';
import { MAX_ID_LENGTH, MAX_POLL_WAIT_MS } from '../../protocol/limits.ts';
import { type PolledMessage, polledMessage } from '../../protocol/message-view.ts';
import { textOf } from '../../protocol/utf8.ts';
import { type Caller, callerAs } from '../caller.ts';
import type { Polled, Wanted } from '../polls.ts';
import type { Relay } from '../relay.ts';

/** Milliseconds that we advise between two polls. */
const POLL_INTERVAL_MS = 5_000;

const input = z.object({
  since: z
    .string()
    .min(1)
    .max(MAX_ID_LENGTH)
    .optional()
    .describe('lastMessageId of the last answer: confirms what that answer held'),
  limit: z.number().int().min(1).max(100).default(50).describe('messages to get at most'),
  confirmOnly: z.boolean().default(false).describe('hand out nothing, only confirm what since names'),
  from: z.string().optional().describe('only messages of this sender'),
  after: z.number().optional().describe('only messages stored since: milliseconds since the epoch'),
  thread: z.string().optional().describe('only messages of this thread, or of none'),
  waitMs: z
    .number()
    .int()
    .min(0)
    .max(MAX_POLL_WAIT_MS)
    .default(0)
    .describe('milliseconds to wait for a message when none is there'),
  agent: z.string().optional().describe('who reads, where the caller wants to be sure of it'),
});
const output = z.object({
  messages: z.array(polledMessage),
  hasMore: z.boolean(),
  lastMessageId: z.string().optional(),
  pollAgainIn: z.number(),
});

export const relayPoll = (relay: Relay) =>
  defineCommand({
    name: 'relay-poll',
    description:
      'Fetch the messages that wait; pass the lastMessageId of the last answer as since to confirm it',
    category: 'relay',
    expose: { mcp: true },
    tags: ['relay', 'read', 'agent-friendly'],
    input,
    output,
    errors: ['STALE', 'TOKEN_REQUIRED', 'FORBIDDEN', 'SESSION_DISCONNECTED'],
    examples: [{ title: 'What waits', input: { limit: 10 } }],
    async handler({ since, limit: most, waitMs, agent, confirmOnly, ...about }, ctx) {
      const limit = confirmOnly ? 0 : most;
      const wanted = wantedBy(about);
      const caller = callerAs(ctx.caller as Caller, agent);
      const { name } = caller;
      const until = relay.clock.monotonic() + waitMs;
      let page = await relay.polls.page(name, since ?? null, limit, wanted);
      // Another poll of the same name may have been faster: the wait goes on.
      while (
        page.messages.length === 0 &&
        limit > 0 &&
        relay.clock.monotonic() < until &&
        !ctx.signal.aborted
      ) {
        await relay.polls.wait(name, until - relay.clock.monotonic(), ctx.signal, wanted);
        if (!ctx.signal.aborted) page = await relay.polls.page(name, since ?? null, limit, wanted);
      }
      if (caller.kind !== 'user') {
        caller.session.received += page.messages.length;
        caller.session.lastActivity = relay.clock.now();
      }
      const messages = page.messages.map(describe);
      const last = messages.at(-1)?.id ?? since;
      const pollAgainIn = page.hasMore ? 0 : POLL_INTERVAL_MS;
      return success(
        {
          messages,
          hasMore: page.hasMore,
          ...(last === undefined ? {} : { lastMessageId: last }),
          pollAgainIn,
        },
        {
          metadata: {
            agentHints: {
              nextAction: 'Poll again with since=lastMessageId, which confirms these messages',
              pollInterval: POLL_INTERVAL_MS,
            },
          },
        },
      );
    },
  });

function wantedBy({
  from,
  after,
  thread,
}: Pick<z.output<typeof input>, 'from' | 'after' | 'thread'>): Wanted {
  if (from === undefined && after === undefined && thread === undefined) return undefined;
  return (delivery) => {
    const { message: sent } = delivery;
    if ((from !== undefined && sent.from !== from) || sent.at < (after ?? 0)) return false;
    if (thread === undefined || sent.raw === undefined) return true;
    const { thread: its } = JSON.parse(textOf(sent.raw.payload));
    return its === undefined || its === thread;
  };
}

function describe({ delivery, repeated }: Polled): PolledMessage {
  const { message: sent } = delivery;
  const { kind, body, thread, data } = sent.raw === undefined ? {} : JSON.parse(textOf(sent.raw.payload));
  return {
    id: delivery.id,
    from: sent.from,
    to: delivery.recipient,
    ...(sent.topic === undefined ? {} : { topic: sent.topic }),
    ts: sent.at,
    seq: delivery.seq,
    kind,
    body,
    thread,
    data,
    ...(repeated ? { redelivered: true } : {}),
    ...(delivery.hasTtl ? { expiresAt: delivery.until } : {}),
  };
}
