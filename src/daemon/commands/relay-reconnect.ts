/** relay-reconnect: a new token for a session there is. Checklist 20–22, 25 (P7, P21). */
import * as z from 'zod';
import { defineCommand } from '../../afd/command.ts';
import { HandoffResultSchema } from '../../afd/handoff.ts';
import { type Caller, sessionFor } from '../caller.ts';
import type { Relay } from '../relay.ts';
import { handoffResult } from './handoff-result.ts';
import { scopedTokenHash } from './relay-connect.ts';

export const relayReconnect = (relay: Relay) =>
  defineCommand({
    name: 'relay-reconnect',
    description: 'Connect a session again: gives it a new token and makes the one before void',
    category: 'relay',
    tags: ['relay', 'handoff:resumable'],
    handoff: true,
    handoffProtocol: 'agent-relay',
    mutation: true,
    input: z.object({
      sessionId: z.string(),
      /** The last message the client has; everything unacknowledged is delivered again in any case. */
      lastMessageId: z.string().optional(),
      scopedTokenHash,
    }),
    output: HandoffResultSchema,
    errors: [
      'SESSION_NOT_FOUND',
      'SESSION_CLOSED',
      'SESSION_EXPIRED',
      'MAX_RECONNECTS',
      'FORBIDDEN',
      'RATE_LIMITED',
    ],
    examples: [{ title: 'Connect again', input: { sessionId: 's-0123456789abcdef0123456789abcdef' } }],
    async handler({ sessionId, lastMessageId, scopedTokenHash }, ctx) {
      const session = sessionFor(relay, ctx.caller as Caller, sessionId);
      const handoff = await relay.sessions.renew(session, 'reconnect', scopedTokenHash);
      const catchUp = lastMessageId === undefined ? undefined : { fromMessageId: lastMessageId };
      return handoffResult(relay, ctx, handoff, catchUp);
    },
  });
