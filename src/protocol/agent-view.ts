/** An agent as `relay-agents` shows it. docs/protocol.md §11 (P22). */
import * as z from 'zod';

export const agentView = z.looseObject({
  name: z.string(),
  state: z.string().describe('of its session'),
  status: z
    .string()
    .optional()
    .describe('of the agent, as its wrapper sees it: starting, ready, busy, dialog or unknown'),
  waitsFor: z.string().optional().describe('what keeps its messages from being typed'),
  speech: z
    .string()
    .optional()
    .describe('where its wrapper gets its words: hook, transcript, api, screen or none'),
  topics: z.array(z.string()),
  queueDepth: z.number(),
  inflight: z.number(),
  held: z.boolean().optional().describe('the person holds what is for it'),
  lastActivity: z.string(),
});

export type AgentView = z.infer<typeof agentView>;
