/** Who is on the relay, as `relay-agents` says it. */
import * as z from 'zod';
import { RelayError } from '../base/errors.ts';
import { type AgentView, agentView } from '../protocol/agent-view.ts';
import type { Place } from './place.ts';
import { callRelay } from './relay-call.ts';

export const Agents = z.object({ namespace: z.string(), agents: z.array(agentView) });

/** Everybody on the relay; undefined: there is no relay (yet). */
export async function agentsOf(place: Place): Promise<AgentView[] | undefined> {
  try {
    return (await callRelay(place, 'relay-agents', {}, Agents)).agents;
  } catch (error) {
    if (RelayError.from(error).code === 'DAEMON_UNREACHABLE') return undefined;
    throw error;
  }
}
