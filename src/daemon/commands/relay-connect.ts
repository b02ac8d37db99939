/** relay-connect: the handoff that starts a session. spec/afd-handoff-conformance §1, checklist 13–18 (P7, P10). */
import * as z from 'zod';
import { defineCommand } from '../../afd/command.ts';
import { HandoffResultSchema } from '../../afd/handoff.ts';
import { RelayError } from '../../base/errors.ts';
import { MAX_HANDOFF_TTL_MS } from '../../protocol/limits.ts';
import type { Relay } from '../relay.ts';
import { handoffResult } from './handoff-result.ts';

/** sha256 (hex) of the token by which the agent's own children will call (P10). */
export const scopedTokenHash = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .optional();

const input = z.object({
  agent: z.string().optional().describe('the name to have'),
  agentPrefix: z
    .string()
    .max(48)
    .optional()
    .describe('instead of a name: the first free `<agentPrefix>-<n>` is given'),
  ttlMs: z
    .number()
    .int()
    .positive()
    .max(MAX_HANDOFF_TTL_MS)
    .optional()
    .describe('milliseconds the token is good for'),
  scopedTokenHash,
});

export const relayConnect = (relay: Relay) =>
  defineCommand({
    name: 'relay-connect',
    description: 'Connect an agent to the relay: starts a session and hands off to the agent-relay protocol',
    category: 'relay',
    tags: ['relay', 'handoff:resumable'],
    handoff: true,
    handoffProtocol: 'agent-relay',
    mutation: true,
    input,
    output: HandoffResultSchema,
    errors: ['BAD_NAME', 'NAME_IN_USE', 'RATE_LIMITED', 'BAD_REQUEST'],
    examples: [
      { title: 'Connect under a name', input: { agent: 'codex-1' } },
      { title: 'Let the relay choose the number', input: { agentPrefix: 'codex' } },
    ],
    async handler({ agent, agentPrefix, ttlMs, scopedTokenHash }, ctx) {
      if ((agent === undefined) === (agentPrefix === undefined)) {
        throw new RelayError('BAD_REQUEST', 'pass either agent or agentPrefix', {
          suggestion: '{"agent":"<name>"} or {"agentPrefix":"<prefix>"}',
        });
      }
      const name = agent ?? relay.sessions.names.free(agentPrefix as string);
      return handoffResult(relay, ctx, await relay.sessions.open(name, { ttlMs, scopedTokenHash }));
    },
  });
