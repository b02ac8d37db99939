/** The agents of a run as `watch` shows agents: what the relay knows of them, and what only the run knows. */
import * as z from 'zod';
import { parseResult, unwrap } from '../afd/parse-result.ts';
import type { Attachment } from '../client/attachment.ts';
import { agentView } from '../protocol/agent-view.ts';
import type { WatchedAgent } from '../watch/model.ts';
import type { AgentEnd } from './expectations.ts';

const Known = z.object({ agents: z.array(agentView) });

/** What the run knows of an agent. */
export interface RowedAgent {
  name: string;
  ended: boolean;
  end: AgentEnd;
}

/** In the order of the run. Throws what relay-agents refuses with. */
export async function agentRows(
  attachment: Attachment,
  agents: readonly RowedAgent[],
): Promise<WatchedAgent[]> {
  const { agents: known } = unwrap(parseResult(Known, await attachment.call('relay-agents', {})));
  return agents.map(({ name, ended, end }) => {
    const found = known.find((agent) => agent.name === name) ?? { queueDepth: 0, inflight: 0 };
    if (ended) return { ...found, name, state: typeof end === 'string' ? end : `ended (${end.code})` };
    return { state: 'starting', ...found, name };
  });
}
