/** What connect and reconnect answer: a HandoffResult with the hints for agents that cannot hold a connection. Checklist 13–16, 28. */
import type { CommandContext } from '../../afd/context.ts';
import { createHandoff, type HandoffResult } from '../../afd/handoff.ts';
import { type CommandSuccess, success } from '../../afd/result.ts';
import type { Relay } from '../relay.ts';
import type { Handoff } from '../sessions.ts';

/** What the channel does. */
const CAPABILITIES = ['ack', 'resume', 'topics', 'broadcast', 'backpressure', 'cumulative_ack'];

/** Milliseconds before the first attempt to reconnect (spec §10). */
const BACKOFF_MS = 100;

export function handoffResult(
  relay: Relay,
  ctx: CommandContext,
  { session, token, tokenId, until }: Handoff,
  catchUp?: { fromMessageId: string },
): CommandSuccess<HandoffResult> {
  ctx.facts.agent = session.name;
  ctx.facts.tokenId = tokenId;
  const left = Math.max(0, relay.settings.maxReconnects - session.reconnects);
  const handoff = createHandoff('agent-relay', relay.endpoint, {
    credentials: { token, sessionId: session.id, headers: { 'agent-name': session.name } },
    metadata: {
      expiresAt: new Date(until).toISOString(),
      capabilities: CAPABILITIES,
      reconnect: { allowed: left > 0, maxAttempts: left, backoffMs: BACKOFF_MS },
      description: `Frames of agent-relay 1.0 on a local socket, as ${session.name}: HELLO with the token first`,
      ...(catchUp === undefined ? {} : { catchUp }),
    },
  });
  return success(handoff, {
    reasoning: `${session.name} may connect until ${new Date(until).toISOString()}`,
    metadata: {
      agentHints: {
        handoffType: 'agent-relay',
        consumable: false,
        fallbackCommand: 'relay-poll',
        fallbackAction: 'call relay-poll for messages and relay-send to answer; both need no connection',
      },
    },
  });
}
