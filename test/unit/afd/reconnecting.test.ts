import { beforeEach, describe, expect, it } from 'vitest';
import { createHandoff, type HandoffResult } from '../../../src/afd/handoff.ts';
import {
  type HandoffConnection,
  type HandoffConnectionOptions,
  ProtocolHandlers,
} from '../../../src/afd/protocol-handlers.ts';
import { createReconnectingHandoff, type ReconnectingHandoff } from '../../../src/afd/reconnecting.ts';
import type { ReconnectingOptions } from '../../../src/afd/reconnecting-options.ts';
import { error, success } from '../../../src/afd/result.ts';
import { RelayError } from '../../../src/base/errors.ts';
import { lineLog } from '../../../src/base/log.ts';
import { FakeClock, settle } from '../../helpers/fake-clock.ts';

type Reconnect = NonNullable<HandoffResult['metadata']>['reconnect'];

const handoffWith = (token: string, reconnect: Reconnect = { allowed: true }) =>
  createHandoff('toy', 'unix:///tmp/toy.sock', {
    credentials: { token, sessionId: 's-1' },
    metadata: { ...(reconnect ? { reconnect } : {}) },
  });

/** A server end: what the handler was asked to connect, and a way to cut it. */
interface Accepted {
  token: string | undefined;
  options: HandoffConnectionOptions;
  closed: number;
  sent: unknown[];
}

let clock: FakeClock;
let accepted: Accepted[];
let calls: [string, unknown][];
let events: string[];
/** What the command answers, one for each call; then more of the last. */
let answers: (() => unknown)[];
/** What the handler does before it accepts, one for each connection. */
let refusals: ((options: HandoffConnectionOptions) => unknown)[];
let connection: ReconnectingHandoff;
let lines: string[];

beforeEach(() => {
  clock = new FakeClock();
  accepted = [];
  calls = [];
  events = [];
  answers = [() => success(handoffWith(`t${calls.length + 1}`))];
  refusals = [];
  lines = [];
});

const handlers = () =>
  new ProtocolHandlers(clock).register('toy', async (handoff, options) => {
    await refusals.shift()?.(options);
    const entry: Accepted = { token: handoff.credentials?.token, options, closed: 0, sent: [] };
    accepted.push(entry);
    const made: HandoffConnection = {
      send: (data) => void entry.sent.push(data),
      close: () => {
        entry.closed += 1;
      },
      state: 'connected',
      protocol: handoff.protocol,
      endpoint: handoff.endpoint,
    };
    return made;
  });

const client = {
  async call(name: string, args: Record<string, unknown>) {
    calls.push([name, args]);
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    return answer?.();
  },
};

async function connect(options: ReconnectingOptions = {}, first = handoffWith('t1')): Promise<void> {
  connection = await createReconnectingHandoff(client, first, {
    reconnectCommand: 'toy-reconnect',
    handlers: handlers(),
    clock,
    random: () => 1,
    log: lineLog((line) => lines.push(line)),
    onStateChange: (state) => events.push(state),
    onReconnect: (attempt) => events.push(`attempt ${attempt}`),
    onReconnectFailed: ({ code }) => events.push(`failed ${code}`),
    onDisconnect: (code) => events.push(`lost ${code}`),
    ...options,
  });
}

const last = () => accepted.at(-1) as Accepted;
const cut = (code?: number) => last().options.onDisconnect?.(code);
const temporary = () => error('TIMEOUT', 'busy');

describe('checklist 20: a connection that comes back', () => {
  it('calls the reconnect command with exactly {...reconnectArgs, sessionId} and uses the new token', async () => {
    await connect({ reconnectArgs: { proof: 'p' } });
    cut(1006);
    await clock.advanceAsync(1000);
    expect(calls).toEqual([['toy-reconnect', { proof: 'p', sessionId: 's-1' }]]);
    expect(accepted.map(({ token }) => token)).toEqual(['t1', 't2']);
    expect(events).toEqual(['connected', 'lost 1006', 'reconnecting', 'attempt 1', 'connected']);
    connection.send('hello');
    expect(last().sent).toEqual(['hello']);
    expect(clock.timers).toBe(0);
  });

  it('sends only the sessionId when there is nothing else to send', async () => {
    await connect({ sessionId: 's-9' });
    cut();
    await clock.advanceAsync(1000);
    expect(calls).toEqual([['toy-reconnect', { sessionId: 's-9' }]]);
  });

  it('goes on after failed attempts of every kind, waiting twice as long each time', async () => {
    answers = [
      temporary,
      () => {
        throw new Error('ECONNREFUSED');
      },
      () => 'not an envelope',
      () => success(handoffWith('t9')),
    ];
    await connect({ maxAttempts: 4, backoffMs: 100 });
    cut();
    await clock.advanceAsync(1499);
    expect(connection.state).toBe('reconnecting');
    expect(calls).toHaveLength(3);
    await clock.advanceAsync(1);
    expect(connection.state).toBe('connected');
    expect(last().token).toBe('t9');
    expect(events.filter((event) => event.startsWith('attempt'))).toHaveLength(4);
  });

  it('says so after the last failed attempt, instead of hanging', async () => {
    answers = [temporary];
    const errors: Error[] = [];
    await connect({ maxAttempts: 3, backoffMs: 100, onError: (thrown) => errors.push(thrown) });
    cut();
    await clock.advanceAsync(10_000);
    expect(calls).toHaveLength(3);
    expect(events.slice(-2)).toEqual(['failed', 'failed TIMEOUT']);
    expect(errors).toHaveLength(3);
    expect(connection.state).toBe('failed');
    expect(clock.timers).toBe(0);
    expect(() => connection.send('x')).toThrow(expect.objectContaining({ code: 'CONNECTION_LOST' }));
  });

  it('counts the attempts anew after each success', async () => {
    await connect({ maxAttempts: 1 });
    for (let i = 0; i < 3; i++) {
      cut();
      await clock.advanceAsync(1000);
      expect(connection.state).toBe('connected');
    }
    expect(accepted).toHaveLength(4);
  });

  it('tries again when the connection is refused, or lost before it was up', async () => {
    await connect();
    refusals = [
      () => Promise.reject(new RelayError('TOKEN_USED', 'used')),
      (options) => options.onDisconnect?.(),
    ];
    cut();
    await clock.advanceAsync(1000);
    expect(connection.state).toBe('reconnecting');
    await clock.advanceAsync(2000);
    expect(connection.state).toBe('reconnecting');
    await clock.advanceAsync(4000);
    expect(connection.state).toBe('connected');
    expect(events.filter((event) => event.startsWith('lost'))).toHaveLength(1);
  });

  it('treats an attempt that never answers as failed after its time', async () => {
    answers = [() => new Promise(() => {}), () => success(handoffWith('t2'))];
    await connect();
    cut();
    await clock.advanceAsync(1000 + 29_999);
    expect(calls).toHaveLength(1);
    await clock.advanceAsync(1 + 2000);
    expect(connection.state).toBe('connected');
  });

  it.each([
    ['a refusal that says it is final', () => error('SESSION_CLOSED', 'gone'), 'failed SESSION_CLOSED'],
    ['MAX_RECONNECTS', () => error('MAX_RECONNECTS', 'too often'), 'failed MAX_RECONNECTS'],
  ])('gives up at once on %s', async (_what, answer, event) => {
    answers = [answer];
    await connect();
    cut();
    await clock.advanceAsync(100_000);
    expect(calls).toHaveLength(1);
    expect(events.at(-1)).toBe(event);
  });

  it('does not try when the handoff allows no reconnect', async () => {
    await connect({}, handoffWith('t1', { allowed: false }));
    cut();
    await clock.advanceAsync(100_000);
    expect(calls).toEqual([]);
    expect(events.at(-1)).toBe('failed MAX_RECONNECTS');
  });

  it('takes attempts and backoff from the newest handoff when the caller does not say', async () => {
    answers = [temporary];
    await connect({}, handoffWith('t1', { allowed: true, maxAttempts: 2, backoffMs: 10 }));
    cut();
    await clock.advanceAsync(30);
    expect(calls).toHaveLength(2);
    expect(connection.state).toBe('failed');
  });

  it('connects the same handoff again when there is no reconnect command', async () => {
    connection = await createReconnectingHandoff(client, handoffWith('t1'), {
      handlers: handlers(),
      clock,
      random: () => 1,
    });
    cut();
    await clock.advanceAsync(1000);
    expect(calls).toEqual([]);
    expect(accepted.map(({ token }) => token)).toEqual(['t1', 't1']);
  });

  it('checklist 24: does not come back when the session was taken over', async () => {
    await connect();
    cut(4004);
    await clock.advanceAsync(100_000);
    expect(calls).toEqual([]);
    expect(events.slice(-3)).toEqual(['lost 4004', 'failed', 'failed SESSION_TAKEN_OVER']);
  });

  it('hears one connection once, however often it reports its end', async () => {
    await connect();
    const first = last();
    first.options.onDisconnect?.(1);
    first.options.onDisconnect?.(2);
    await clock.advanceAsync(1000);
    first.options.onDisconnect?.(3);
    await clock.advanceAsync(100_000);
    expect(calls).toHaveLength(1);
    expect(connection.state).toBe('connected');
  });
});

describe('the end of it', () => {
  it('rejects when the first connection fails, and leaves nothing behind', async () => {
    refusals = [() => Promise.reject(new RelayError('TOKEN_EXPIRED', 'old'))];
    await expect(connect()).rejects.toMatchObject({ code: 'TOKEN_EXPIRED' });
    await clock.advanceAsync(100_000);
    expect(calls).toEqual([]);
    expect(events).toEqual(['failed']);
    expect(clock.timers).toBe(0);
  });

  it('closes once, and does not come back', async () => {
    await connect();
    await connection.close();
    await connection.close();
    cut();
    await clock.advanceAsync(100_000);
    expect(last().closed).toBe(1);
    expect(calls).toEqual([]);
    expect(events).toEqual(['connected', 'disconnected']);
  });

  it('stops waiting for the next attempt when it is closed', async () => {
    await connect();
    cut();
    await clock.advanceAsync(500);
    await connection.close();
    await clock.advanceAsync(100_000);
    expect(calls).toEqual([]);
    expect(clock.timers).toBe(0);
    expect(events.at(-1)).toBe('disconnected');
  });

  it('stops in the middle of an attempt, and closes a connection that comes up too late', async () => {
    await connect();
    let accept = () => {};
    refusals = [
      () =>
        new Promise<void>((resolve) => {
          accept = resolve;
        }),
    ];
    cut();
    await clock.advanceAsync(1000);
    expect(calls).toHaveLength(1);
    await connection.close();
    accept();
    await settle();
    expect(accepted).toHaveLength(2);
    expect(last().closed).toBe(1);
    expect(connection.state).toBe('disconnected');
    expect(clock.timers).toBe(0);
  });

  it('ends with the abort of its signal, before and after it is up', async () => {
    const controller = new AbortController();
    await connect({ signal: controller.signal });
    controller.abort();
    await settle();
    expect(connection.state).toBe('disconnected');
    expect(last().closed).toBe(1);
    await expect(connect({ signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'COMMAND_CANCELLED',
    });
    expect(events.at(-1)).toBe('disconnected');
  });

  it('may be closed by any of its callbacks', async () => {
    const ends: [ReconnectingOptions, waiting: number][] = [
      [{ onDisconnect: () => void connection.close() }, 0],
      [{ onStateChange: (state) => void (state === 'reconnecting' && connection.close()) }, 0],
      [{ onReconnect: () => void connection.close() }, 1],
    ];
    for (const [options, waiting] of ends) {
      await connect(options);
      cut();
      expect(clock.timers).toBe(waiting);
      await clock.advanceAsync(100_000);
      expect(connection.state).toBe('disconnected');
      expect(clock.timers).toBe(0);
    }
    expect(calls).toEqual([]);
  });

  it('survives callbacks that throw, and logs them', async () => {
    const boom = () => {
      throw new Error('boom');
    };
    await connect({ onDisconnect: boom, onReconnect: boom, onMessage: boom, onStateChange: boom });
    last().options.onMessage?.('x');
    cut();
    await clock.advanceAsync(1000);
    expect(connection.state).toBe('connected');
    expect(lines.filter((line) => line.includes('boom')).length).toBeGreaterThanOrEqual(4);
  });
});
