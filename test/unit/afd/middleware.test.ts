import { beforeEach, describe, expect, it } from 'vitest';
import { type AuditEvent, audit } from '../../../src/afd/audit.ts';
import { deadline } from '../../../src/afd/deadline.ts';
import type { Middleware } from '../../../src/afd/middleware.ts';
import { rateLimit } from '../../../src/afd/rate-limit.ts';
import { CommandRegistry } from '../../../src/afd/registry.ts';
import { error } from '../../../src/afd/result.ts';
import { FakeClock, settle } from '../../helpers/fake-clock.ts';
import { chatConnect, chatPoll } from '../../helpers/toy-commands.ts';

let clock: FakeClock;
beforeEach(() => {
  clock = new FakeClock();
});

const registryWith = (...middleware: Middleware[]) =>
  new CommandRegistry({ clock, middleware, newTraceId: () => 't' }).register(chatConnect, chatPoll);

describe('the onion', () => {
  it('runs the first layer outermost, and each sees the sealed result of the handler', async () => {
    const seen: string[] = [];
    const layer =
      (name: string): Middleware =>
      async (_command, _input, _ctx, next) => {
        seen.push(`${name} in`);
        const result = await next();
        seen.push(`${name} out ${result.reasoning}`);
        return result;
      };
    await registryWith(layer('a'), layer('b')).execute('chat.connect', { room: 'x' });
    expect(seen).toEqual(['a in', 'b in', 'b out Session made.', 'a out Session made.']);
  });

  it('lets a layer answer itself, and completes its answer', async () => {
    const registry = registryWith(async () => error('FORBIDDEN', 'not you'));
    const result = await registry.execute('chat-poll', { room: 'x' });
    expect(result).toMatchObject({
      error: { code: 'FORBIDDEN' },
      metadata: { traceId: 't', commandVersion: '1.0.0' },
    });
  });

  it('checklist 10: hides what a layer throws', async () => {
    const registry = registryWith(
      deadline(() => 1000),
      () => {
        throw new Error('secret');
      },
    );
    const result = await registry.execute('chat-poll', { room: 'x' });
    expect(result.error?.code).toBe('COMMAND_EXECUTION_ERROR');
    expect(JSON.stringify(result)).not.toContain('secret');
    expect(clock.timers).toBe(0);
  });
});

describe('checklist 26: rate limit', () => {
  const limited = (maxKeys?: number) =>
    registryWith(
      rateLimit({
        limit: 2,
        windowMs: 60_000,
        keyOf: (name, _input, ctx) => (name === 'chat-connect' ? String(ctx.caller.user) : undefined),
        ...(maxKeys === undefined ? {} : { maxKeys }),
      }),
    );
  const connect = async (registry: CommandRegistry, user = 'bob') =>
    (await registry.execute('chat-connect', { room: 'x' }, { caller: { user } })).error;

  it('refuses what is over the limit, and says when to come back', async () => {
    const registry = limited();
    expect(await connect(registry)).toBeUndefined();
    clock.advance(20_500);
    expect(await connect(registry)).toBeUndefined();
    clock.advance(500);
    expect(await connect(registry)).toMatchObject({
      code: 'RATE_LIMITED',
      retryable: true,
      suggestion: 'wait 39 s, then try again',
      details: { retryAfterSeconds: 39 },
    });
    clock.advance(38_999);
    expect(await connect(registry)).toMatchObject({ code: 'RATE_LIMITED' });
    clock.advance(1);
    expect(await connect(registry)).toBeUndefined();
    expect(await connect(registry)).toMatchObject({ code: 'RATE_LIMITED' });
  });

  it('counts each key for itself, and other commands not at all', async () => {
    const registry = limited();
    await connect(registry);
    await connect(registry);
    expect(await connect(registry)).toMatchObject({ code: 'RATE_LIMITED' });
    expect(await connect(registry, 'eve')).toBeUndefined();
    expect((await registry.execute('chat-poll', { room: 'x' }, { caller: { user: 'bob' } })).success).toBe(
      true,
    );
  });

  it('gives back what a call used up that does not count, and nothing of another', async () => {
    const registry = registryWith(
      rateLimit({
        limit: 2,
        windowMs: 60_000,
        keyOf: () => 'all',
        counts: (_name, { success }) => success,
      }),
    );
    const call = async (room: unknown) => (await registry.execute('chat-connect', { room })).error?.code;
    expect(await call('x')).toBeUndefined();
    for (let i = 0; i < 5; i++) expect(await call(1)).toBe('VALIDATION_ERROR');
    expect(await call('x')).toBeUndefined();
    expect(await call('x')).toBe('RATE_LIMITED');
    clock.advance(60_000);
    expect(await call('x')).toBeUndefined();
  });

  it('forgets the key that was quiet longest when there are too many', async () => {
    const registry = limited(2);
    for (const user of ['a', 'a', 'b', 'b', 'c']) await connect(registry, user);
    expect(await connect(registry, 'b')).toMatchObject({ code: 'RATE_LIMITED' });
    expect(await connect(registry, 'a')).toBeUndefined();
  });
});

describe('checklist 27: audit', () => {
  it('records each call with its outcome and the ids the handler named, but no token', async () => {
    const events: AuditEvent[] = [];
    const registry = registryWith(audit({ sink: (event) => events.push(event) }));
    await registry.execute('chat-connect', { room: 'x' }, { interface: 'cli' });
    await registry.execute('chat-connect', { room: 'closed' });
    const base = { ts: '2026-01-01T00:00:00.000Z', command: 'chat-connect', traceId: 't' };
    expect(events).toEqual([
      { ...base, interface: 'cli', success: true, tokenId: 'tok-1' },
      { ...base, interface: 'rpc', success: false, code: 'ROOM_CLOSED' },
    ]);
    expect(JSON.stringify(events)).not.toContain('ah_');
  });

  it('takes a token out that a handler or a caller put there, and protects its own fields', async () => {
    const events: AuditEvent[] = [];
    const forger: Middleware = (_name, _input, ctx, next) => {
      Object.assign(ctx.facts, { leaked: 'ah_0123456789abcdefghij', success: false, command: 'other' });
      return next();
    };
    const registry = registryWith(audit({ sink: (event) => events.push(event) }), forger);
    await registry.execute('chat-poll', { room: 'x' }, { traceId: 'as_0123456789abcdefghij' });
    expect(events[0]).toMatchObject({ command: 'chat-poll', success: true, leaked: 'ah_…', traceId: 'as_…' });
  });

  it('records only what it is asked for', async () => {
    const events: AuditEvent[] = [];
    const registry = registryWith(
      audit({ sink: (event) => events.push(event), only: (name) => name === 'chat-connect' }),
    );
    await registry.execute('chat-poll', { room: 'x' });
    expect(events).toEqual([]);
  });
});

describe('deadline', () => {
  it('answers TIMEOUT, tells the handler to stop and ignores what it says later', async () => {
    let aborted = false;
    let finish = () => {};
    const slow: Middleware = async (_name, _input, ctx, next) => {
      ctx.signal.addEventListener('abort', () => {
        aborted = true;
      });
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      return next(ctx);
    };
    const call = registryWith(
      deadline(() => 1000),
      slow,
    ).execute('chat-poll', { room: 'x' });
    await clock.advanceAsync(999);
    expect(aborted).toBe(false);
    await clock.advanceAsync(1);
    expect((await call).error).toMatchObject({ code: 'TIMEOUT', retryable: true });
    expect(aborted).toBe(true);
    finish();
    await settle();
  });

  it('leaves no timer behind, and calls without a limit alone', async () => {
    const registry = registryWith(deadline((name) => (name === 'chat-poll' ? 1000 : undefined)));
    expect((await registry.execute('chat-poll', { room: 'x' })).success).toBe(true);
    expect((await registry.execute('chat-connect', { room: 'x' })).success).toBe(true);
    expect(clock.timers).toBe(0);
  });
});
