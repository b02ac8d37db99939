/** relay-reconnect: a new token for a session there is. Checklist 20–22, 25 (P7, P21). */
import * as z from 'zod';
import { defineCommand } from '../../afd/command.ts';
import { HandoffResultSchema } from '../../afd/handoff.ts';
import { RelayError } from '../../base/errors.ts';
import { MAX_ID_LENGTH } from '../../protocol/limits.ts';
import { type Caller, sessionFor } from '../caller.ts';
import type { Relay } from '../relay.ts';
import type { Session } from '../session-table.ts';
import { handoffResult } from './handoff-result.ts';
import { scopedTokenHash } from './relay-connect.ts';

const input = z.object({
  sessionId: z.string(),
  lastMessageId: z
    .string()
    .min(1)
    .max(MAX_ID_LENGTH)
    .optional()
    .describe('the last message the client has; everything unacknowledged is delivered again in any case'),
  scopedTokenHash,
});

export const relayReconnect = (relay: Relay) =>
  defineCommand({
    name: 'relay-reconnect',
    description: 'Connect a session again: gives it a new token and makes the one before void',
    category: 'relay',
    tags: ['relay', 'handoff:resumable'],
    handoff: true,
    handoffProtocol: 'agent-relay',
    mutation: true,
    input,
    output: HandoffResultSchema,
    errors: [
      'SESSION_NOT_FOUND',
      'SESSION_CLOSED',
      'SESSION_EXPIRED',
      'MAX_RECONNECTS',
      'STALE',
      'FORBIDDEN',
      'RATE_LIMITED',
    ],
    examples: [{ title: 'Connect again', input: { sessionId: 's-0123456789abcdef0123456789abcdef' } }],
    async handler({ sessionId, lastMessageId, scopedTokenHash }, ctx) {
      const session = sessionFor(relay, ctx.caller as Caller, sessionId);
      if (lastMessageId !== undefined) checkPosition(relay, session, lastMessageId);
      const handoff = await relay.sessions.renew(session, 'reconnect', scopedTokenHash);
      const catchUp = lastMessageId === undefined ? undefined : { fromMessageId: lastMessageId };
      return handoffResult(relay, ctx, handoff, catchUp);
    },
  });

/** Checklist 22: what came after a message that we do not know (any more), nobody can say. Throws STALE. */
function checkPosition(relay: Relay, session: Session, id: string): void {
  if (relay.state.messages.byDeliverId(id)?.recipient === session.name) return;
  throw new RelayError(
    'STALE',
    `no message of ${session.name} has the id ${JSON.stringify(id.slice(0, 64))}`,
    {
      suggestion: 'leave lastMessageId out: all that is unacknowledged comes again',
    },
  );
}
