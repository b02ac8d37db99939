/** relay-send: a message from whoever calls, without a connection. Checklist 30 (P10). */

import * as z from 'zod';
import { defineCommand } from '../../afd/command.ts';
import { type CommandResult, error, failureFrom, success } from '../../afd/result.ts';
import { newId } from '../../protocol/ids.ts';
import { MAX_ID_LENGTH, MAX_TOPIC_LENGTH } from '../../protocol/limits.ts';
import { utf8 } from '../../protocol/utf8.ts';
import { type Caller, callerAs } from '../caller.ts';
import type { Relay } from '../relay.ts';
import type { Session } from '../session-table.ts';

const output = z.object({
  messageId: z.string(),
  timestamp: z.iso.datetime(),
  recipients: z.array(z.string()),
  stored: z.boolean().describe('written to a store that survives the daemon'),
});

const input = z.object({
  to: z.string().optional().describe('the name of an agent, or * for everybody'),
  body: z.string().describe('the text of the message'),
  topic: z
    .string()
    .min(1)
    .max(MAX_TOPIC_LENGTH)
    .optional()
    .describe('without to: everybody who subscribed to it'),
  kind: z.string().min(1).max(64).default('message').describe('a word for the kind of message'),
  thread: z.string().max(MAX_ID_LENGTH).optional().describe('an id that messages of one matter share'),
  data: z.unknown().optional().describe('anything else, as JSON'),
  ttlMs: z.number().positive().optional().describe('milliseconds after which nobody needs it any more'),
  messageId: z
    .uuid()
    .optional()
    .describe("a UUID of the caller's own: the same one again sends nothing twice (P15)"),
  from: z.string().optional().describe('who sends, where the caller wants to be sure of it'),
});

export const relaySend = (relay: Relay) =>
  defineCommand({
    name: 'relay-send',
    description: 'Send a message to an agent, to everybody ("*") or to a topic',
    category: 'relay',
    expose: { mcp: true },
    tags: ['relay', 'write', 'agent-friendly'],
    mutation: true,
    input,
    output,
    errors: ['BAD_TARGET', 'MESSAGE_TOO_LARGE', 'QUEUE_FULL', 'DUPLICATE_ID', 'TOKEN_REQUIRED', 'FORBIDDEN'],
    examples: [{ title: 'Ask an agent', input: { to: 'codex-1', body: 'Your turn' } }],
    handler({ to, body, topic, kind, thread, data, ttlMs, messageId, from }, ctx) {
      const caller = callerAs(ctx.caller as Caller, from);
      const id = messageId ?? newId();
      const payload = JSON.stringify({ kind, body, data, thread });
      return new Promise<CommandResult<z.input<typeof output>>>((resolve) => {
        relay.router.send(
          {
            id,
            from: caller.name,
            session: caller.kind === 'user' ? caller.name : caller.session.id,
            injects: caller.kind !== 'user' && caller.session.injects,
            to,
            topic,
            raw: { payload: utf8(payload) },
            ttlMs,
            acks: false,
            command: true,
          },
          {
            stored: (message) => {
              if (caller.kind !== 'user') countSent(caller.session, relay.clock.now());
              resolve(
                success({
                  messageId: id,
                  timestamp: new Date(message.at).toISOString(),
                  recipients: message.deliveries.map(({ recipient }) => recipient),
                  stored: relay.journal.durable,
                }),
              );
            },
            refused: (error) => resolve(failureFrom(error)),
            repeated: () =>
              resolve(
                error('DUPLICATE_ID', 'this very message is being stored at this moment', {
                  suggestion: 'call it again for its outcome',
                  retryable: true,
                }),
              ),
          },
        );
      });
    },
  });

function countSent(session: Session, now: number): void {
  session.sent++;
  session.lastActivity = now;
}
