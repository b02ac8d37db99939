import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import type { DeclaredCommand } from '../../../src/afd/command.ts';
import { validateCommandSurface } from '../../../src/afd/surface.ts';
import { chatConnect, chatPoll, chatStream } from '../../helpers/toy-commands.ts';

const findings = (change: Partial<DeclaredCommand>, base: DeclaredCommand = chatPoll) =>
  validateCommandSurface([{ ...base, ...change }]).map(({ message }) => message);

describe('checklist 2–4: the surface', () => {
  it('finds nothing in commands that are as they should be', () => {
    expect(validateCommandSurface([chatConnect, chatPoll, chatStream])).toEqual([]);
  });

  it.each<[string, Partial<DeclaredCommand>]>([
    ['the name is not kebab-case domain-action', { name: 'chat.poll' }],
    ['the description has fewer than 20 characters', { description: 'Fetch messages' }],
    [
      "the description does not begin with one of AFD's verbs",
      { description: 'Resume a session that was lost' },
    ],
    [
      "the description does not begin with one of AFD's verbs",
      { description: '   fetch the messages there' },
    ],
    ['the category chat is not among the tags', { tags: ['read'] }],
    ['a tag stands twice', { tags: ['chat', 'read', 'read'] }],
    ['no errors are declared', { errors: [] }],
    ['not an error code: notFound', { errors: ['NOT_FOUND', 'notFound'] }],
    ['a mutation is tagged read', { mutation: true }],
    ['tagged write, but no mutation', { tags: ['chat', 'write'] }],
    [
      'the example "all" does not fit the input schema',
      { examples: [{ title: 'all', input: { limit: 0 } }] },
    ],
  ])('checklist 3, 4: says that %s', (message, change) => {
    expect(findings(change)).toEqual([message]);
  });

  it.each(['Lists the rooms of the chat', 'Queries the messages of a room', 'fetches what waits in a room'])(
    'checklist 4: takes the verb of %j',
    (description) => {
      expect(findings({ description })).toEqual([]);
    },
  );

  it.each<[string, Partial<DeclaredCommand>]>([
    [
      'the protocol is not the first of the handoff:… tags',
      { tags: ['chat', 'handoff', 'handoff:resumable', 'handoff:toy'] },
    ],
    ['tagged handoff, but handoff is not true', { handoff: false }],
  ])('checklist 2: says that %s', (message, change) => {
    expect(findings(change, chatConnect)).toEqual([message]);
  });

  it('checklist 1: finds names that differ only in their separators', () => {
    const other = { ...chatPoll, name: 'cha-tpoll', input: z.object({}) };
    expect(validateCommandSurface([chatPoll, other])).toEqual([
      { severity: 'error', command: 'cha-tpoll', message: 'collides with chat-poll' },
    ]);
  });
});
