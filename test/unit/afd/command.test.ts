import { describe, expect, expectTypeOf, it } from 'vitest';
import * as z from 'zod';
import {
  declareCommand,
  defineCommand,
  getHandoffProtocol,
  inputJsonSchema,
  isHandoffCommand,
} from '../../../src/afd/command.ts';
import { success } from '../../../src/afd/result.ts';
import { chatConnect, chatPoll } from '../../helpers/toy-commands.ts';

const spec = {
  name: 'chat-list',
  description: 'List the chat rooms there are',
  category: 'chat',
  input: z.object({ limit: z.number().default(3) }),
  output: z.object({ rooms: z.array(z.string()) }),
};

describe('defineCommand', () => {
  it.each([
    'connect',
    'chat.list',
    'chat_list',
    'chat-list-2',
    'Chat-list',
    'chat-',
    '-chat',
    'chat--list',
    '',
  ])('checklist 1: refuses the name %j', (name) => {
    expect(() => declareCommand({ ...spec, name })).toThrow(/bad command name/);
  });

  it.each(['chat-list', 'chat-refresh-token', 'c2-go4'])('checklist 1: takes the name %j', (name) => {
    expect(declareCommand({ ...spec, name }).name).toBe(name);
  });

  it('checklist 4: refuses a command without description or category', () => {
    expect(() => declareCommand({ ...spec, description: ' ' })).toThrow(/description/);
    expect(() => declareCommand({ ...spec, category: '' })).toThrow(/category/);
  });

  it('checklist 2: tags a handoff, its protocol before every other handoff:… tag', () => {
    expect(chatConnect.tags).toEqual(['chat', 'handoff', 'handoff:toy', 'handoff:resumable']);
    expect(getHandoffProtocol(chatConnect)).toBe('toy');
    expect(isHandoffCommand(chatConnect)).toBe(true);
  });

  it('checklist 2: keeps the tags as they are when all of them are given', () => {
    const tags = ['chat', 'handoff', 'handoff:toy', 'handoff:resumable'];
    expect(declareCommand({ ...spec, tags, handoff: true, handoffProtocol: 'toy' }).tags).toEqual(tags);
  });

  it('checklist 2: takes the protocol of a foreign command from its first handoff:… tag', () => {
    expect(getHandoffProtocol({ tags: ['handoff', 'handoff:sse', 'handoff:resumable'] })).toBe('sse');
    expect(getHandoffProtocol({ tags: ['handoff:sse'] })).toBeUndefined();
    expect(getHandoffProtocol({ handoff: true })).toBeUndefined();
  });

  it('refuses a protocol on a command that is no handoff', () => {
    expect(() => declareCommand({ ...spec, handoffProtocol: 'toy' })).toThrow(/handoffProtocol/);
  });

  it('fills in the defaults', () => {
    const { mutation, handoff, destructive, version, errors, examples, tags } = declareCommand(spec);
    expect({ mutation, handoff, destructive, version, errors, examples, tags }).toEqual({
      mutation: false,
      handoff: false,
      destructive: false,
      version: '1.0.0',
      errors: [],
      examples: [],
      tags: [],
    });
  });

  it('infers the types of input and output from the schemas, also of a spread spec', () => {
    const command = defineCommand({
      ...spec,
      handler(input) {
        expectTypeOf(input).toEqualTypeOf<{ limit: number }>();
        return success({ rooms: [] });
      },
    });
    expectTypeOf<z.input<typeof command.input>>().toEqualTypeOf<{ limit?: number | undefined }>();
    defineCommand({
      ...spec,
      // @ts-expect-error rooms is a list of strings
      handler: () => success({ rooms: 'all' }),
    });
  });

  it('shows its input as JSON Schema, with what a caller may leave out', () => {
    expect(inputJsonSchema(chatPoll)).toMatchObject({
      type: 'object',
      required: ['room'],
      properties: { limit: { type: 'integer', minimum: 1, maximum: 100, default: 50 } },
    });
  });
});
