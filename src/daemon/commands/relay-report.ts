/** relay-report: what a wrapper sees of its agent, shown by relay-agents. In memory only. */
import * as z from 'zod';
import { defineCommand } from '../../afd/command.ts';
import { success } from '../../afd/result.ts';
import { RelayError } from '../../base/errors.ts';
import { type Caller, sessionFor } from '../caller.ts';
import type { Relay } from '../relay.ts';
import { AGENT_STATUSES, SPEECH_SOURCES } from '../reports.ts';

const input = z.object({
  sessionId: z.string(),
  status: z.enum(AGENT_STATUSES),
  waitsFor: z.string().min(1).max(64).optional().describe('what keeps messages from being typed'),
  speech: z
    .enum(SPEECH_SOURCES)
    .optional()
    .describe("where the wrapper gets the agent's words; none: nowhere"),
});
const output = z.object({ agent: z.string() });

export const relayReport = (relay: Relay) =>
  defineCommand({
    name: 'relay-report',
    description:
      'Set what the relay shows of an agent: its state, what its messages wait for, its speech source',
    category: 'relay',
    tags: ['relay', 'write'],
    mutation: true,
    input,
    output,
    errors: ['SESSION_NOT_FOUND', 'SESSION_DISCONNECTED', 'FORBIDDEN'],
    examples: [
      {
        title: 'Say that the agent shows a dialog',
        input: { sessionId: 's-0123456789abcdef0123456789abcdef', status: 'dialog', waitsFor: 'dialog' },
      },
    ],
    handler({ sessionId, ...report }, ctx) {
      const session = sessionFor(relay, ctx.caller as Caller, sessionId);
      if (session.state !== 'active') {
        throw new RelayError('SESSION_DISCONNECTED', `the session of ${session.name} is ${session.state}`);
      }
      relay.reports.set(session, report);
      return success({ agent: session.name });
    },
  });
