/** relay-status: of a session, or of the relay. It changes nothing. Checklist 18 (P22). */
import * as z from 'zod';
import { defineCommand } from '../../afd/command.ts';
import { success } from '../../afd/result.ts';
import { type Caller, sessionFor } from '../caller.ts';
import type { Relay } from '../relay.ts';
import type { Session } from '../session-table.ts';

const iso = (at: number | undefined): string | undefined =>
  at === undefined ? undefined : new Date(at).toISOString();

const input = z.object({
  sessionId: z.string().optional().describe('of whom; without it, the relay and your own session'),
});
const output = z.looseObject({
  sessionId: z.string().optional(),
  agent: z.string().optional(),
  state: z.enum(['pending', 'active', 'disconnected', 'closed', 'expired']).optional(),
  metrics: z.record(z.string(), z.number()),
});

export const relayStatus = (relay: Relay) =>
  defineCommand({
    name: 'relay-status',
    description: 'Check the state of a session by its id, or of the relay and the own session without one',
    category: 'relay',
    expose: { mcp: true },
    tags: ['relay', 'read'],
    input,
    output,
    errors: ['SESSION_NOT_FOUND', 'FORBIDDEN'],
    examples: [{ title: 'The relay', input: {} }],
    handler({ sessionId }, ctx) {
      const caller = ctx.caller as Caller;
      if (sessionId !== undefined) return success(describe(relay, sessionFor(relay, caller, sessionId)));
      const { epoch, namespace, version, state, peers, journal } = relay;
      const own = caller.kind === 'user' ? undefined : describe(relay, caller.session);
      const { messages, bytes } = state.messages.load;
      return success({
        ...own,
        ...(caller.kind === 'child' ? { sessionId: undefined } : {}),
        namespace,
        epoch,
        version,
        durable: journal.durable,
        metrics: { connections: peers.size, waiting: messages, waitingBytes: bytes, ...own?.metrics },
      });
    },
  });

function describe(relay: Relay, session: Session) {
  const mailbox = relay.state.findMailbox(session.name);
  return {
    sessionId: session.id,
    agent: session.name,
    state: session.state,
    createdAt: iso(session.createdAt),
    connectedAt: iso(session.connectedAt),
    closedAt: iso(session.closedAt),
    lastActivity: iso(session.lastActivity),
    topics: relay.state.topicsOf(session.name),
    metrics: {
      messagesSent: session.sent,
      messagesReceived: session.received,
      queueDepth: mailbox?.depth ?? 0,
      inflight: relay.peers.get(session.name)?.pump.inflight.count ?? 0,
    },
  };
}
