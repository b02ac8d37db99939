import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { declareCommand } from '../../../src/afd/command.ts';
import { describeCommand, renderReference } from '../../../src/afd/reference.ts';
import { chatConnect, chatPoll } from '../../helpers/toy-commands.ts';

describe('the reference of the commands', () => {
  it('describes a command as plain JSON with both schemas', () => {
    const described = describeCommand(chatConnect);
    expect(JSON.parse(JSON.stringify(described))).toEqual(described);
    expect(described).toMatchObject({ name: 'chat-connect', handoff: true, handoffProtocol: 'toy' });
    expect(described.inputSchema).toMatchObject({ required: ['room'] });
    expect(described.outputSchema).toMatchObject({ required: ['protocol', 'endpoint'] });
  });

  it('renders an overview, then each command with its fields, errors and examples', () => {
    const text = renderReference([chatConnect, chatPoll], 'toy call');
    expect(text).toContain(
      '| [`chat-poll`](#chat-poll) | Fetch the messages that wait in a chat room | `chat`, ',
    );
    expect(text).toContain('## chat-connect\n\nConnect to a chat room');
    expect(text).toContain('It hands off to `toy`.');
    expect(text).toContain('| `room` | string | yes | where to talk |');
    expect(text).toContain('| `nick` | string | no | default "anon" |');
    expect(text).toContain('| `limit` | integer 1…100 | no | default 50 |');
    expect(text).toContain('| `credentials.token` | string | no |  |');
    expect(text).toContain('| `messages[].id` | string | yes |  |');
    expect(text).toContain('| `SESSION_NOT_FOUND` | no session has this id |');
    expect(text).toContain(`toy call chat-connect '{"room":"bob'\\''s"}'`);
    expect(text.endsWith('\n')).toBe(true);
  });

  it('keeps a bar in a text from breaking the table, and says where there are no fields', () => {
    const command = declareCommand({
      name: 'toy-set',
      description: 'Set the toy to a|b',
      category: 'toy',
      input: z.object({}),
      output: z.object({ kind: z.enum(['a', 'b']), at: z.union([z.string(), z.null()]), n: z.int() }),
    });
    const text = renderReference([command], 'toy call');
    expect(text).toContain('Set the toy to a\\|b |');
    expect(text).toContain('Input:\n\nnone.');
    expect(text).toContain('| `kind` | "a" or "b" | yes |');
    expect(text).toContain('| `at` | string or null | yes |');
    expect(text).toContain('| `n` | integer | yes |');
  });
});
