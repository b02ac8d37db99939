import { beforeEach, describe, expect, expectTypeOf, it } from 'vitest';
import * as z from 'zod';
import { type Command, defineCommand } from '../../../src/afd/command.ts';
import type { CommandContext } from '../../../src/afd/context.ts';
import { CommandRegistry } from '../../../src/afd/registry.ts';
import { type CommandResult, error, success } from '../../../src/afd/result.ts';
import { RelayError } from '../../../src/base/errors.ts';
import { lineLog } from '../../../src/base/log.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';
import { chatConnect, chatPoll, chatStream } from '../../helpers/toy-commands.ts';

const TOKEN = 'ah_0123456789abcdefghij';

let clock: FakeClock;
let lines: string[];
let registry: CommandRegistry;

beforeEach(() => {
  clock = new FakeClock();
  lines = [];
  const log = lineLog((line) => lines.push(line), 'debug');
  registry = new CommandRegistry({ clock, log, newTraceId: () => 'trace-new' });
  registry.register(chatConnect, chatPoll, chatStream);
});

/** A command whose handler is all that matters. */
function command(
  handler: (input: { n: number }, ctx: CommandContext) => CommandResult<{ out: string }>,
): Command {
  return defineCommand({
    name: 'toy-run',
    description: 'Run the toy once and return what it says',
    category: 'toy',
    input: z.object({ n: z.number(), to: z.array(z.string()).optional() }),
    output: z.object({ out: z.string() }),
    handler,
  });
}

const names = (commands: Command[]) => commands.map(({ name }) => name);

describe('checklist 5: finding commands', () => {
  it('lists by tags: all, any and exclude', () => {
    expect(names(registry.list())).toEqual(['chat-connect', 'chat-poll', 'chat-stream']);
    expect(names(registry.list({ all: ['handoff'] }))).toEqual(['chat-connect', 'chat-stream']);
    expect(names(registry.list({ all: ['handoff', 'handoff:toy'] }))).toEqual(['chat-connect']);
    expect(names(registry.list({ any: ['handoff:toy', 'read'] }))).toEqual(['chat-connect', 'chat-poll']);
    expect(names(registry.list({ exclude: ['handoff:toy'] }))).toEqual(['chat-poll', 'chat-stream']);
    expect(names(registry.list({ all: ['chat'], exclude: ['handoff'] }))).toEqual(['chat-poll']);
    expect(registry.list({ all: ['nothing'] })).toEqual([]);
  });

  it('leaves out handoffs to protocols that the agent cannot consume', () => {
    expect(names(registry.list({ consume: ['toy'] }))).toEqual(['chat-connect', 'chat-poll']);
    expect(names(registry.list({ consume: [] }))).toEqual(['chat-poll']);
  });

  it('lists what a way in offers: mcp only what asks for it', () => {
    expect(names(registry.list({ interface: 'mcp' }))).toEqual(['chat-poll']);
    expect(names(registry.list({ interface: 'cli' }))).toEqual(['chat-connect', 'chat-poll']);
    expect(names(registry.list({ category: 'other' }))).toEqual([]);
  });

  it('checklist 1: resolves dotted and underscored names', () => {
    expect(registry.get('chat.connect')).toBe(chatConnect);
    expect(registry.get('chat_connect')).toBe(chatConnect);
    expect(registry.get('chat-nothing')).toBeUndefined();
  });

  it('refuses to register a name twice', () => {
    expect(() => registry.register(chatPoll)).toThrow(/registered twice: chat-poll/);
  });
});

describe('checklist 6: success', () => {
  it('has data, reasoning and no error', async () => {
    const result = await registry.execute('chat-connect', { room: 'lobby' });
    expect(result).toMatchObject({ success: true, reasoning: 'Session made.', data: { protocol: 'toy' } });
    expect('error' in result).toBe(false);
  });

  it("takes the command's description for a missing reasoning", async () => {
    const result = await registry.execute('chat-poll', { room: 'lobby' });
    expect(result.reasoning).toBe(chatPoll.description);
  });

  it('gives the handler defaults, and drops keys that neither side knows', async () => {
    let seen: unknown;
    registry.register(
      command((input) => {
        seen = input;
        return success({ out: 'x', secret: 'y' } as { out: string });
      }),
    );
    const result = await registry.execute('toy-run', { n: 1, extra: true });
    expect(seen).toEqual({ n: 1 });
    expect(result.data).toEqual({ out: 'x' });
  });

  it('types the result of a call by the command', async () => {
    const result = await registry.call(chatPoll, { room: 'lobby' });
    if (!result.success) throw new Error(result.error.message);
    expectTypeOf(result.data).toEqualTypeOf<{ messages: { id: string }[]; hasMore: boolean }>();
    expect(result.data.hasMore).toBe(false);
    // @ts-expect-error room is missing
    await registry.call(chatPoll, {});
  });

  it('checklist 28: mirrors agent hints, and never puts them into data', async () => {
    const result = await registry.execute('chat-connect', { room: 'lobby' });
    const hints = { handoffType: 'toy', consumable: false, fallbackCommand: 'chat-poll' };
    expect(result.metadata?.agentHints).toEqual(hints);
    expect(result._agentHints).toEqual(hints);
    expect(JSON.stringify(result.data)).not.toContain('fallbackCommand');
  });
});

describe('checklist 7: failure', () => {
  it('has code, message, suggestion, retryable and no data', async () => {
    const result = await registry.execute('chat.connect', { room: 'closed' });
    expect(result).toMatchObject({ success: false, error: { code: 'ROOM_CLOSED', retryable: false } });
    expect(result.error?.suggestion).not.toBe('');
    expect('data' in result).toBe(false);
  });

  it.each([
    ['nothing', undefined],
    ['a string', 'ok'],
    ['a success without data', { success: true }],
    ['a failure without error', { success: false }],
    ['a code in small letters', error('bad', 'x')],
    ['both data and error', { ...error('bad-code', 'x'), data: 1 }],
  ])('hides a handler that answers %s', async (_what, answer) => {
    registry.register(command(() => answer as CommandResult<{ out: string }>));
    const result = await registry.execute('toy-run', { n: 1 });
    expect(result.error?.code).toBe('COMMAND_EXECUTION_ERROR');
    expect(result.data).toBeUndefined();
    expect(lines.join()).toContain('afd.handler_threw');
  });
});

describe('checklist 8: metadata', () => {
  it('has the time taken, the version and a trace id of our own', async () => {
    registry.register(
      command(() => {
        clock.advance(25);
        return success({ out: '' });
      }),
    );
    const result = await registry.execute('toy-run', { n: 1 });
    expect(result.metadata).toEqual({ executionTimeMs: 25, commandVersion: '1.0.0', traceId: 'trace-new' });
  });

  it("echoes the caller's trace id, on failures too, and shows it to the handler", async () => {
    let seen = '';
    registry.register(
      command((_input, ctx) => {
        seen = ctx.traceId;
        return error('ROOM_FULL', 'full');
      }),
    );
    const ran = await registry.execute('toy-run', { n: 1 }, { traceId: 'mine' });
    const unknown = await registry.execute('toy-go', {}, { traceId: 'mine' });
    const invalid = await registry.execute('toy-run', {}, { traceId: 'mine' });
    expect([ran, unknown, invalid].map(({ metadata }) => metadata?.traceId)).toEqual([
      'mine',
      'mine',
      'mine',
    ]);
    expect(seen).toBe('mine');
  });

  it('cuts a trace id that is long, and takes out what cannot be printed', async () => {
    const result = await registry.execute(
      'chat-poll',
      { room: 'x' },
      { traceId: `a\x1b[2J\n${'b'.repeat(999)}` },
    );
    expect(result.metadata?.traceId).toBe(`a[2J${'b'.repeat(124)}`);
    const empty = await registry.execute('chat-poll', { room: 'x' }, { traceId: '\n' });
    expect(empty.metadata?.traceId).toBe('trace-new');
  });
});

describe('checklist 9: input', () => {
  it('is refused with all that is wrong with it, and the handler is not run', async () => {
    let runs = 0;
    registry.register(
      command(() => {
        runs += 1;
        return success({ out: '' });
      }),
    );
    const result = await registry.execute('toy-run', { to: ['a', 7], extra: TOKEN });
    expect(runs).toBe(0);
    expect(result.error).toMatchObject({ code: 'VALIDATION_ERROR', retryable: false, suggestion: 'pass n' });
    expect(result.error?.details).toMatchObject({
      errors: [
        { path: 'n', code: 'invalid_type', expected: 'number' },
        { path: 'to.1', code: 'invalid_type', expected: 'string', received: 'number' },
      ],
      expectedFields: ['n', 'to'],
      unexpectedFields: ['extra'],
      missingFields: ['n'],
    });
    expect(result.error?.message).toContain('at n');
  });

  it('accepts extra keys (Tolerances)', async () => {
    expect((await registry.execute('chat-poll', { room: 'x', extra: 1 })).success).toBe(true);
  });

  it('never repeats a value, nor more of a name than a person reads', async () => {
    const result = await registry.execute('chat-poll', {
      room: 7,
      [`k${'x'.repeat(9999)}`]: TOKEN,
      limit: 1000,
    });
    const text = JSON.stringify(result);
    expect(text).not.toContain(TOKEN);
    expect(text.length).toBeLessThan(2000);
    expect(result.error?.details?.errors).toMatchObject([
      { path: 'room', received: 'number' },
      { path: 'limit', expected: 'number of at most 100' },
    ]);
  });

  it('lists twenty faults and says how many more there are', async () => {
    registry.register(command(() => success({ out: '' })));
    const extra = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`k${i}`, 1]));
    const result = await registry.execute('toy-run', { n: 1, to: Array(1000).fill(0), ...extra });
    const details = result.error?.details;
    expect(details?.errors).toHaveLength(20);
    expect(details).toMatchObject({ errorsOmitted: 980, unexpectedFieldsOmitted: 10 });
  });

  it.each([undefined, null, [], 'x', 7])('says what it takes when it gets %j', async (input) => {
    const result = await registry.execute('chat-poll', input);
    expect(result.error?.code).toBe('VALIDATION_ERROR');
    expect(result.error?.details).toMatchObject({ expectedFields: ['room', 'limit'], unexpectedFields: [] });
    expect(result.error?.suggestion).toBe('chat-poll takes: room, limit');
  });
});

describe('checklist 10: what goes wrong inside', () => {
  it.each([
    ['chat-conect', 'chat-connect'],
    ['chat.pol', 'chat-poll'],
    ['poll', 'chat-poll'],
  ])('suggests for %s the name %s', async (typed, meant) => {
    const result = await registry.execute(typed, {});
    expect(result.error).toMatchObject({ code: 'COMMAND_NOT_FOUND', details: { nearNames: [meant] } });
    expect(result.error?.suggestion).toBe(`did you mean ${meant}?`);
  });

  it('suggests nothing for a name that is like no other, and repeats no long one', async () => {
    const result = await registry.execute('x'.repeat(100_000), {});
    expect(result.error?.code).toBe('COMMAND_NOT_FOUND');
    expect(result.error?.suggestion).not.toContain('did you mean');
    expect(JSON.stringify(result).length).toBeLessThan(600);
  });

  it('suggests no command that this way in does not offer', async () => {
    const result = await registry.execute('chat-conect', {}, { interface: 'mcp' });
    expect(result.error?.details).toEqual({ nearNames: [] });
    const hidden = await registry.execute('chat-connect', { room: 'x' }, { interface: 'mcp' });
    expect(hidden.error?.code).toBe('COMMAND_NOT_EXPOSED');
  });

  it('hides what a handler throws, without stack or token, and logs it by trace id', async () => {
    registry.register(
      command(() => {
        throw new Error(`no such file, ${TOKEN}`);
      }),
    );
    const result = await registry.execute('toy-run', { n: 1 }, { traceId: 'tr-9' });
    expect(result.error).toMatchObject({
      code: 'COMMAND_EXECUTION_ERROR',
      message: 'An internal error occurred',
    });
    expect(JSON.stringify(result)).not.toMatch(/no such file|registry\.ts|ah_/);
    expect(lines.join()).toMatch(/no such file.*tr-9|tr-9.*no such file/);
    expect(lines.join()).not.toContain(TOKEN);
  });

  it("passes a RelayError on, with its code and way out, but not a bug's", async () => {
    registry.register(
      command(({ n }) => {
        throw n === 1 ? new RelayError('SESSION_CLOSED', 's-1 was closed') : new RelayError('INTERNAL', 'oh');
      }),
    );
    const refused = await registry.execute('toy-run', { n: 1 });
    expect(refused.error).toMatchObject({
      code: 'SESSION_CLOSED',
      message: 's-1 was closed',
      retryable: false,
    });
    expect((await registry.execute('toy-run', { n: 2 })).error?.code).toBe('COMMAND_EXECUTION_ERROR');
  });

  it('answers COMMAND_EXECUTION_ERROR when the data is not what the command promises, and leaks none of it', async () => {
    registry.register(command(() => success({ out: { token: TOKEN } } as unknown as { out: string })));
    const result = await registry.execute('toy-run', { n: 1 });
    expect(result.error?.code).toBe('COMMAND_EXECUTION_ERROR');
    expect(JSON.stringify(result)).not.toContain('ah_');
    expect(lines.join()).toContain('"path":"out"');
    expect(lines.join()).not.toContain('ah_');
  });

  it('does not run a cancelled call, and calls what its abort broke cancelled', async () => {
    const gone = await registry.execute('chat-poll', { room: 'x' }, { signal: AbortSignal.abort() });
    expect(gone.error).toMatchObject({ code: 'COMMAND_CANCELLED', retryable: true });
    const controller = new AbortController();
    registry.register(
      command((_input, ctx) => {
        controller.abort();
        ctx.signal.throwIfAborted();
        return success({ out: '' });
      }),
    );
    const broken = await registry.execute('toy-run', { n: 1 }, { signal: controller.signal });
    expect(broken.error?.code).toBe('COMMAND_CANCELLED');
  });
});
