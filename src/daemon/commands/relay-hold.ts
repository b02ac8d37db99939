/** relay-hold and relay-release: the person stops what is for an agent, or lets it go on (P18). */
import * as z from 'zod';
import { defineCommand } from '../../afd/command.ts';
import { success } from '../../afd/result.ts';
import type { Caller } from '../caller.ts';
import type { Relay } from '../relay.ts';
import { requirePerson } from './person-only.ts';

const output = z.object({ agent: z.string(), held: z.boolean() });

const holdInput = z.object({ agent: z.string().min(1) });

export const relayHold = (relay: Relay) =>
  defineCommand({
    name: 'relay-hold',
    description: 'Stop all messages for an agent until they are released',
    category: 'relay',
    tags: ['relay', 'write'],
    mutation: true,
    input: holdInput,
    output,
    errors: ['FORBIDDEN'],
    examples: [{ title: 'Let bob work in peace', input: { agent: 'bob' } }],
    async handler({ agent }, ctx) {
      requirePerson(ctx.caller as Caller);
      await relay.router.standstill(agent, true);
      return success({ agent, held: true });
    },
  });

const releaseInput = z.object({
  agent: z.string().min(1),
  /** Only what the brake holds of this sender. */
  from: z.string().optional(),
});

export const relayRelease = (relay: Relay) =>
  defineCommand({
    name: 'relay-release',
    description: 'Start the messages for an agent again, also those that the brake holds',
    category: 'relay',
    tags: ['relay', 'write'],
    mutation: true,
    input: releaseInput,
    output,
    errors: ['FORBIDDEN'],
    examples: [{ title: 'Go on', input: { agent: 'bob' } }],
    async handler({ agent, from }, ctx) {
      requirePerson(ctx.caller as Caller);
      const mailbox = relay.state.findMailbox(agent);
      const braked = [...(mailbox?.holds() ?? [])].map(([sender]) => sender);
      for (const sender of braked)
        if (from === undefined || from === sender) relay.router.release(sender, agent);
      if (from === undefined && mailbox?.standstill) await relay.router.standstill(agent, false);
      return success({ agent, held: mailbox?.standstill === true });
    },
  });
