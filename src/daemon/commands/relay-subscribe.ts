/** relay-subscribe and relay-unsubscribe: the topics of whoever calls (P17). */
import * as z from 'zod';
import { defineCommand } from '../../afd/command.ts';
import { success } from '../../afd/result.ts';
import { RelayError } from '../../base/errors.ts';
import { MAX_TOPIC_LENGTH } from '../../protocol/limits.ts';
import type { Caller } from '../caller.ts';
import { setTopic } from '../handlers/subscribe.ts';
import type { Relay } from '../relay.ts';

const input = z.object({
  topic: z.string().min(1).max(MAX_TOPIC_LENGTH).describe('any words; there is no need to make it first'),
});
const output = z.object({ agent: z.string(), topics: z.array(z.string()) });

const topicCommand = (name: string, description: string, on: boolean) => (relay: Relay) =>
  defineCommand({
    name,
    description,
    category: 'relay',
    tags: ['relay', 'write', 'agent-friendly'],
    mutation: true,
    input,
    output,
    errors: ['TOKEN_REQUIRED', 'QUEUE_FULL', 'SESSION_DISCONNECTED'],
    handler: ({ topic }, ctx) => change(relay, ctx.caller as Caller, topic, on),
  });

export const relaySubscribe = topicCommand(
  'relay-subscribe',
  'Subscribe the calling agent to a topic: it gets what others send there',
  true,
);

export const relayUnsubscribe = topicCommand(
  'relay-unsubscribe',
  'Unsubscribe the calling agent from a topic',
  false,
);

async function change(relay: Relay, caller: Caller, topic: string, on: boolean) {
  if (caller.kind === 'user') throw new RelayError('TOKEN_REQUIRED', 'topics belong to agents');
  await setTopic(relay, caller.name, topic, on);
  return success({ agent: caller.name, topics: relay.state.topicsOf(caller.name) });
}
