/** relay-agents: who is on the relay, without any session id (P22). */
import * as z from 'zod';
import { defineCommand } from '../../afd/command.ts';
import { success } from '../../afd/result.ts';
import { type AgentView, agentView } from '../../protocol/agent-view.ts';
import type { Relay } from '../relay.ts';
import type { Session } from '../session-table.ts';

const input = z.object({});
const output = z.object({ namespace: z.string(), agents: z.array(agentView) });

export const relayAgents = (relay: Relay) =>
  defineCommand({
    name: 'relay-agents',
    description: 'List the agents of the relay: their state, topics and what waits for them',
    category: 'relay',
    expose: { mcp: true },
    tags: ['relay', 'read', 'agent-friendly'],
    input,
    output,
    errors: ['TOKEN_UNKNOWN', 'SESSION_DISCONNECTED'],
    examples: [{ title: 'Everybody', input: {} }],
    handler() {
      const agents = new Map<string, AgentView>();
      for (const session of relay.state.sessions.all()) {
        if (session.state === 'closed' || session.state === 'expired') continue;
        const known = agents.get(session.name);
        if (known === undefined || session.state === 'active')
          agents.set(session.name, describe(relay, session));
      }
      const sorted = [...agents.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
      return success({ namespace: relay.namespace, agents: sorted });
    },
  });

function describe(relay: Relay, session: Session): AgentView {
  return {
    name: session.name,
    state: session.state,
    ...relay.reports.get(session),
    topics: relay.state.topicsOf(session.name),
    queueDepth: relay.state.findMailbox(session.name)?.depth ?? 0,
    held: relay.state.findMailbox(session.name)?.standstill ?? false,
    inflight: relay.peers.get(session.name)?.pump.inflight.count ?? 0,
    lastActivity: new Date(session.lastActivity).toISOString(),
  };
}
