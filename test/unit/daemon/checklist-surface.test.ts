import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { COMMAND_NAME, defineCommand, getHandoffProtocol } from '../../../src/afd/command.ts';
import { type HandoffResult, HandoffResultSchema, isHandoff } from '../../../src/afd/handoff.ts';
import { validateCommandSurface } from '../../../src/afd/surface.ts';
import { lineLog } from '../../../src/base/log.ts';
import { TestRelay } from '../../helpers/relay.ts';

const HANDOFFS = ['relay-connect', 'relay-reconnect'];
const relayWith = (options = {}) => new TestRelay(options);
const handoffOf = (relay: TestRelay, input: object = { agent: 'bob' }) =>
  relay.call<HandoffResult & { credentials: { token: string; sessionId: string } }>('relay-connect', input);

describe('AFD conformance §4, surface', () => {
  const { commands } = relayWith().daemon;

  it('checklist 1: the six commands of the handoff exist, under names of its form', () => {
    const names = commands.list().map(({ name }) => name);
    for (const action of ['connect', 'status', 'disconnect', 'reconnect', 'poll', 'send']) {
      expect(names).toContain(`relay-${action}`);
    }
    for (const name of names) expect(name).toMatch(COMMAND_NAME);
  });

  it('checklist 2: connect and reconnect declare the handoff, its protocol and their tags in order', () => {
    for (const name of HANDOFFS) {
      const command = commands.get(name);
      expect(command).toMatchObject({ handoff: true, handoffProtocol: 'agent-relay' });
      expect(command?.tags).toEqual(['relay', 'handoff', 'handoff:agent-relay', 'handoff:resumable']);
      expect(command && getHandoffProtocol(command)).toBe('agent-relay');
    }
  });

  it.each([
    ['relay-status', ['read'], false],
    ['relay-poll', ['read', 'agent-friendly'], false],
    ['relay-disconnect', ['write', 'safe'], true],
    ['relay-send', ['write', 'agent-friendly'], true],
    ['relay-connect', ['handoff'], true],
    ['relay-reconnect', ['handoff'], true],
  ])('checklist 3: %s carries the tags %j, mutation %s', (name, tags, mutation) => {
    expect(commands.get(name)?.mutation).toBe(mutation);
    expect(commands.get(name)?.tags).toEqual(expect.arrayContaining(tags));
  });

  it('checklist 4: every command is described, in category relay, with schemas and errors', () => {
    for (const command of commands.list()) {
      expect(command.category).toBe('relay');
      expect(command.input).toBeDefined();
      expect(command.output).toBeDefined();
      expect(command.errors.length).toBeGreaterThan(0);
    }
    expect(validateCommandSurface(commands.list())).toEqual([]);
  });

  it('checklist 5: tags find the right commands, by all, by any, by exclusion', async () => {
    const relay = relayWith();
    const names = async (input: object) =>
      (await relay.call<{ commands: { name: string }[] }>('relay-help', input)).commands.map(
        ({ name }) => name,
      );
    expect(await names({ tags: ['handoff'] })).toEqual(HANDOFFS);
    expect(await names({ anyTags: ['handoff:agent-relay', 'no-such-tag'] })).toEqual(HANDOFFS);
    expect(await names({ tags: ['handoff', 'read'] })).toEqual([]);
    expect(await names({ excludeTags: ['write', 'handoff'] })).toEqual([
      'relay-status',
      'relay-poll',
      'relay-agents',
      'relay-log',
      'relay-dead-letters',
      'relay-help',
    ]);
    expect(await names({ consume: ['websocket'] })).not.toContain('relay-connect');
    expect(await names({ consume: ['agent-relay'] })).toContain('relay-connect');
  });

  it('checklist 5: help is brief unless asked to be full', async () => {
    const relay = relayWith();
    const help = async (format?: string) =>
      (await relay.call<{ commands: object[] }>('relay-help', { command: 'relay-poll', format })).commands[0];
    expect(Object.keys((await help()) ?? {})).toEqual(['name', 'description', 'tags']);
    expect(await help('full')).toMatchObject({ inputSchema: { type: 'object' }, errors: expect.any(Array) });
  });
});

describe('AFD conformance §4, envelope', () => {
  it('checklist 6: a success has data and reasoning, and no error', async () => {
    for (const command of ['relay-agents', 'relay-status', 'relay-help', 'relay-poll']) {
      const result = await relayWith().try(command);
      expect(result).toMatchObject({ success: true, reasoning: expect.stringMatching(/./) });
      expect(result.data).toBeDefined();
      expect(result).not.toHaveProperty('error');
      expect(result).not.toHaveProperty('confidence');
    }
  });

  it.each([
    ['relay-status', { sessionId: 's-0' }, 'SESSION_NOT_FOUND'],
    ['relay-connect', { agent: 'system' }, 'BAD_NAME'],
    ['relay-send', { body: 'x' }, 'BAD_TARGET'],
    ['relay-poll', { since: 'never seen' }, 'STALE'],
    ['relay-fly', {}, 'COMMAND_NOT_FOUND'],
  ])(
    'checklist 7: a failure of %s %j has code, message, a way out, and no data',
    async (name, input, code) => {
      const result = await relayWith().try(name, input);
      expect(result).toMatchObject({
        success: false,
        error: { code, message: expect.stringMatching(/./), suggestion: expect.stringMatching(/./) },
      });
      expect(typeof result.error?.retryable).toBe('boolean');
      expect(result).not.toHaveProperty('data');
    },
  );

  it('checklist 8: metadata tells time, version and trace, the caller’s own trace id if it gave one', async () => {
    const relay = relayWith();
    const result = await relay.daemon.execute('relay-agents', {}, { traceId: 'mine-1' });
    expect(result.metadata).toMatchObject({
      executionTimeMs: expect.any(Number),
      commandVersion: '1.0.0',
      traceId: 'mine-1',
    });
    expect((await relay.try('relay-agents')).metadata?.traceId).toMatch(/./);
  });

  it('checklist 9: invalid input is refused field by field, and opens no session', async () => {
    const relay = relayWith();
    const { error } = await relay.try('relay-connect', { agent: 7, agnet: 'bob' });
    expect(error).toMatchObject({
      code: 'VALIDATION_ERROR',
      details: {
        errors: [{ path: 'agent', expected: 'string', received: 'number' }],
        expectedFields: ['agent', 'agentPrefix', 'ttlMs', 'scopedTokenHash'],
        unexpectedFields: ['agnet'],
        missingFields: [],
      },
    });
    expect(await relay.call('relay-agents')).toMatchObject({ agents: [] });
  });

  it('checklist 10: an unknown command names the near one', async () => {
    const { error } = await relayWith().try('relay-conect', { agent: 'bob' });
    expect(error).toMatchObject({
      code: 'COMMAND_NOT_FOUND',
      suggestion: expect.stringContaining('relay-connect'),
    });
  });

  it('checklist 10: what a handler throws is told without stack or token', async () => {
    const relay = relayWith();
    const boom = defineCommand({
      name: 'relay-boom',
      description: 'Run into a bug of ours',
      category: 'relay',
      input: z.object({}),
      output: z.object({}),
      handler: () => {
        throw new Error('ah_0123456789abcdef0123456789');
      },
    });
    relay.daemon.commands.register(boom);
    const result = await relay.try('relay-boom');
    expect(result.error?.code).toBe('COMMAND_EXECUTION_ERROR');
    expect(JSON.stringify(result)).not.toMatch(/ah_0|at .*\.ts/);
  });
});

describe('AFD conformance §4, HandoffResult', () => {
  it('checklist 13: passes guard and schema; the endpoint is an absolute unix URL without a token', async () => {
    const handoff = await handoffOf(relayWith());
    expect(isHandoff(handoff)).toBe(true);
    expect(HandoffResultSchema.parse(handoff)).toEqual(handoff);
    expect(handoff.endpoint).toMatch(/^unix:\/\/\/[^ ]+$/);
    expect(handoff.endpoint).not.toContain(handoff.credentials.token);
  });

  it('checklist 14: token and session id are there, random, unrelated, and others each time', async () => {
    const relay = relayWith();
    const given = [await handoffOf(relay), await handoffOf(relay), await handoffOf(relay)];
    const tokens = given.map(({ credentials }) => credentials.token);
    const ids = given.map(({ credentials }) => credentials.sessionId);
    expect(new Set([...tokens, ...ids]).size).toBe(6);
    // 43 characters of base64url are 256 bits.
    for (const token of tokens) expect(token).toMatch(/^ah_[A-Za-z0-9_-]{43}$/);
    for (const { credentials } of given) {
      expect(credentials.token).not.toContain(credentials.sessionId.slice(2));
    }
  });

  it.each([
    [undefined, 5 * 60_000],
    [15 * 60_000, 15 * 60_000],
    [1, 1],
  ])('checklist 15: with ttlMs %s the credentials expire in %s ms, in UTC', async (ttlMs, expected) => {
    const relay = relayWith();
    const { metadata } = await handoffOf(relay, { agent: 'bob', ttlMs });
    expect(metadata?.expiresAt).toMatch(/Z$/);
    expect(Date.parse(metadata?.expiresAt ?? '') - relay.clock.now()).toBe(expected);
  });

  it('checklist 15: more than 15 minutes are refused', async () => {
    const result = await relayWith().try('relay-connect', { agent: 'bob', ttlMs: 15 * 60_000 + 1 });
    expect(result.error?.code).toBe('VALIDATION_ERROR');
  });

  it('checklist 16: says how to reconnect, and what the channel can do', async () => {
    const { metadata } = await handoffOf(relayWith());
    expect(metadata?.reconnect).toEqual({ allowed: true, maxAttempts: 10, backoffMs: 100 });
    expect(metadata?.capabilities).toEqual(expect.arrayContaining(['ack', 'resume', 'topics']));
    const configured = await handoffOf(relayWith({ settings: { maxReconnects: 3 } }));
    expect(configured.metadata?.reconnect?.maxAttempts).toBe(3);
  });

  it('checklist 28: tells agents that cannot hold a connection what to do, outside of data', async () => {
    const relay = relayWith();
    const connected = await relay.try('relay-connect', { agent: 'bob' });
    const sessionId = (connected.data as HandoffResult).credentials?.sessionId;
    for (const result of [connected, await relay.try('relay-reconnect', { sessionId })]) {
      const hints = { fallbackCommand: 'relay-poll', consumable: false, handoffType: 'agent-relay' };
      expect(result.metadata?.agentHints).toMatchObject(hints);
      expect(result._agentHints).toEqual(result.metadata?.agentHints);
      expect(JSON.stringify(result.data)).not.toContain('fallbackCommand');
    }
  });

  it('checklist 27: the audit has the token’s id for each connect; no token and no session id is in any log', async () => {
    const lines: string[] = [];
    const audited: Record<string, unknown>[] = [];
    const relay = relayWith({
      log: lineLog((line) => lines.push(line), 'debug'),
      audit: (event: Record<string, unknown>) => audited.push(event),
    });
    const { token, sessionId } = (await handoffOf(relay)).credentials;
    const bob = await relay.join('bob', { session: { resume_token: token } });
    const resume = bob.last('WELCOME').payload.resume_token as string;
    const { token: next } = await relay.call<{ token: string }>('relay-refresh-token', {
      sessionId,
      currentToken: resume,
    });
    await relay.call('relay-disconnect', { sessionId, reason: `said ${token}` });
    expect(audited).toMatchObject([
      { command: 'relay-connect', agent: 'bob', tokenId: expect.stringMatching(/^t-[0-9a-f]{12}$/) },
      { command: 'relay-refresh-token', agent: 'bob', tokenId: expect.stringMatching(/^t-/) },
      { command: 'relay-disconnect', agent: 'bob', success: true },
    ]);
    for (const secret of [token, resume, next, sessionId]) {
      expect(lines.join('\n')).not.toContain(secret);
      expect(JSON.stringify(audited)).not.toContain(secret);
    }
  });
});
