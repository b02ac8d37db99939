/** relay-disconnect: ends a session for good. Checklist 23 (P9). */
import * as z from 'zod';
import { defineCommand } from '../../afd/command.ts';
import { success } from '../../afd/result.ts';
import { type Caller, sessionFor } from '../caller.ts';
import type { Relay } from '../relay.ts';

const input = z.object({ sessionId: z.string(), reason: z.string().max(200).optional() });
const output = z.object({
  sessionId: z.string(),
  closedAt: z.iso.datetime(),
  duration: z.number().describe('milliseconds since the session was opened'),
  messagesSent: z.number(),
});

export const relayDisconnect = (relay: Relay) =>
  defineCommand({
    name: 'relay-disconnect',
    description:
      'Disconnect a session: ends it, its connection and its tokens; what waits for the name stays',
    category: 'relay',
    tags: ['relay', 'write', 'safe'],
    mutation: true,
    input,
    output,
    errors: ['SESSION_NOT_FOUND', 'FORBIDDEN'],
    async handler({ sessionId, reason }, ctx) {
      const session = sessionFor(relay, ctx.caller as Caller, sessionId);
      ctx.facts.agent = session.name;
      const peer = relay.peers.get(session.name);
      await new Promise<void>((said) => relay.sessions.close(session, reason ?? 'disconnected', said));
      if (peer?.session === session) peer.bye({ code: 'SESSION_CLOSED' });
      const closedAt = session.closedAt ?? relay.clock.now();
      return success({
        sessionId,
        closedAt: new Date(closedAt).toISOString(),
        duration: Math.max(0, closedAt - session.createdAt),
        messagesSent: session.sent,
      });
    },
  });
