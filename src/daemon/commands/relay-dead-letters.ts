/** relay-dead-letters, -redeliver, -drop: what ended undelivered, and what the person makes of it (P16, P22). */
import * as z from 'zod';
import { defineCommand } from '../../afd/command.ts';
import { success } from '../../afd/result.ts';
import { RelayError } from '../../base/errors.ts';
import { newId } from '../../protocol/ids.ts';
import { messageView } from '../../protocol/message-view.ts';
import type { Caller } from '../caller.ts';
import type { Delivery } from '../message.ts';
import type { Relay } from '../relay.ts';
import { viewMessage } from './message-view.ts';
import { requirePerson } from './person-only.ts';

const chosen = z.object({
  /** Of the delivery, or its beginning; "all" for every one. */
  id: z.string().min(1),
});
const output = z.object({ count: z.number() });

const deadLettersInput = z.object({ to: z.string().optional() });
const deadLettersOutput = z.object({ messages: z.array(messageView) });

export const relayDeadLetters = (relay: Relay) =>
  defineCommand({
    name: 'relay-dead-letters',
    description: 'List the messages that ended undelivered, with the reason',
    category: 'relay',
    tags: ['relay', 'read'],
    input: deadLettersInput,
    output: deadLettersOutput,
    errors: ['FORBIDDEN'],
    examples: [{ title: 'All of them', input: {} }],
    handler({ to }, ctx) {
      requirePerson(ctx.caller as Caller);
      const letters = [...relay.state.messages.deadLetters()].filter(
        ({ recipient }) => to === undefined || recipient === to,
      );
      return success({ messages: letters.map((letter) => viewMessage(letter.message, [letter])) });
    },
  });

export const relayRedeliver = (relay: Relay) =>
  defineCommand({
    name: 'relay-redeliver',
    description: 'Send dead letters once more, each as a new message of its sender',
    category: 'relay',
    tags: ['relay', 'write'],
    mutation: true,
    input: chosen,
    output,
    errors: ['FORBIDDEN', 'BAD_REQUEST', 'QUEUE_FULL', 'STORE_FULL'],
    examples: [{ title: 'All of them', input: { id: 'all' } }],
    async handler({ id }, ctx) {
      requirePerson(ctx.caller as Caller);
      const letters = find(relay, id);
      for (const letter of letters) {
        await sendAnew(relay, letter);
        await relay.journal.committed({ t: 'dropped', seq: letter.seq });
      }
      return success({ count: letters.length });
    },
  });

export const relayDrop = (relay: Relay) =>
  defineCommand({
    name: 'relay-drop',
    description: 'Delete dead letters, one or all',
    category: 'relay',
    tags: ['relay', 'write'],
    mutation: true,
    input: chosen,
    output,
    errors: ['FORBIDDEN', 'BAD_REQUEST'],
    examples: [{ title: 'All of them', input: { id: 'all' } }],
    async handler({ id }, ctx) {
      requirePerson(ctx.caller as Caller);
      const letters = find(relay, id);
      for (const { seq } of letters) await relay.journal.committed({ t: 'dropped', seq });
      return success({ count: letters.length });
    },
  });

/** Throws BAD_REQUEST when there is none, or more than one of that beginning. */
function find(relay: Relay, id: string): Delivery[] {
  const all = [...relay.state.messages.deadLetters()];
  const found = id === 'all' ? all : all.filter((letter) => letter.id.startsWith(id));
  if (id !== 'all' && found.length !== 1) {
    throw new RelayError(
      'BAD_REQUEST',
      `${found.length} dead letters begin with ${JSON.stringify(id.slice(0, 80))}`,
      {
        suggestion: 'see: agent-wrap deadletters list',
      },
    );
  }
  return found;
}

/** A message of its own: the recipient would know the old id, and answer it as before. */
function sendAnew(relay: Relay, { message, recipient }: Delivery): Promise<void> {
  const { from, session, topic, raw } = message;
  if (raw === undefined) throw new RelayError('INTERNAL', 'a dead letter without its text');
  const again = { id: newId(), from, session, injects: false, to: recipient, topic, raw, acks: false };
  return new Promise((resolve, reject) => {
    relay.router.send(
      { ...again, command: true },
      { stored: () => resolve(), refused: reject, repeated: resolve },
    );
  });
}
