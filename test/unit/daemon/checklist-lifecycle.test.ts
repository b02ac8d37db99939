import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { HandoffResult } from '../../../src/afd/handoff.ts';
import { settle } from '../../helpers/fake-clock.ts';
import { TestRelay } from '../../helpers/relay.ts';

const MINUTE = 60_000;
const withToken = (token: string | undefined) => ({ session: { resume_token: token as string } });
const reconnect = (relay: TestRelay, input: object, token?: string) =>
  relay.call<HandoffResult>('relay-reconnect', input, token);

async function connected(options: ConstructorParameters<typeof TestRelay>[0] = {}, name = 'bob') {
  const relay = new TestRelay(options);
  const handoff = await relay.handoff(name);
  const client = await relay.join(name, withToken(handoff.token));
  const status = () => relay.call<Record<string, unknown>>('relay-status', { sessionId: handoff.sessionId });
  const state = async () => (await status()).state;
  return { relay, client, ...handoff, status, state };
}

describe('AFD conformance §4, wire', () => {
  it.each([
    ['wrong', async () => `ah_${'x'.repeat(43)}`, 'TOKEN_UNKNOWN'],
    [
      'cut short',
      async (relay: TestRelay) => (await relay.handoff('bob')).token.slice(0, 9),
      'TOKEN_UNKNOWN',
    ],
    ['of another session', async (relay: TestRelay) => (await relay.handoff('eve')).token, 'TOKEN_FOREIGN'],
    [
      'expired',
      async (relay: TestRelay) => {
        const { token } = await relay.handoff('bob');
        await relay.pass(5 * MINUTE + 500);
        return token;
      },
      'TOKEN_EXPIRED',
    ],
    [
      'already used',
      async (relay: TestRelay) => {
        const { token } = await relay.handoff('bob');
        const first = await relay.join('bob', withToken(token));
        first.say('PING', { nonce: 'n' });
        await settle();
        first.cut();
        await settle();
        return token;
      },
      'TOKEN_USED',
    ],
  ])('checklist 17: a token that is %s gets ERROR and the close, and no DELIVER', async (_, get, code) => {
    const relay = new TestRelay();
    await relay.call('relay-send', { to: 'bob', body: 'secret' });
    const token = await get(relay);
    const client = await relay.join('bob', withToken(token));
    expect(client.received.map(({ type }) => type)).toEqual(['ERROR']);
    expect(client.last('ERROR').payload).toMatchObject({ code, fatal: true });
    expect(client.closed).toBe(true);
  });

  it('checklist 17: without a token a name that is connected is refused; a free one gets a session of its own (P7)', async () => {
    const { relay, client } = await connected();
    const other = await relay.join('bob');
    expect(other.last('ERROR').payload.code).toBe('NAME_IN_USE');
    expect(other.closed).toBe(true);
    expect(client.closed).toBe(false);
    expect((await relay.join('ann')).last('WELCOME').payload.session_id).toMatch(/^s-/);
  });
});

describe('AFD conformance §4, lifecycle', () => {
  it('checklist 18: all five states are reached, and the final ones are left no more', async () => {
    const relay = new TestRelay();
    const { token, sessionId } = await relay.handoff('bob');
    const status = () => relay.call<Record<string, unknown>>('relay-status', { sessionId });
    expect(await status()).toMatchObject({ state: 'pending' });
    const bob = await relay.join('bob', withToken(token));
    expect(await status()).toMatchObject({ state: 'active', connectedAt: expect.any(String) });
    bob.cut();
    await settle();
    expect((await status()).state).toBe('disconnected');
    await relay.call('relay-disconnect', { sessionId });
    expect(await status()).toMatchObject({ state: 'closed', closedAt: expect.any(String) });
    await relay.pass(6 * MINUTE);
    expect((await status()).state).toBe('closed');

    const late = await relay.handoff('ann');
    await relay.pass(6 * MINUTE);
    const expired = () => relay.call<{ state: string }>('relay-status', { sessionId: late.sessionId });
    expect((await expired()).state).toBe('expired');
    await relay.call('relay-disconnect', { sessionId: late.sessionId });
    expect((await expired()).state).toBe('expired');
  });

  it('checklist 18: status changes nothing, the last activity included', async () => {
    const { relay, status } = await connected();
    const before = await status();
    await relay.pass(3_000);
    expect(await status()).toEqual(before);
  });

  it('checklist 19: handoffExpiry: an unused handoff ends its session', async () => {
    const relay = new TestRelay({ settings: { handoffTtlMs: MINUTE } });
    const { token, sessionId } = await relay.handoff('bob');
    await relay.pass(MINUTE + 500);
    expect((await relay.call('relay-status', { sessionId })).state).toBe('expired');
    expect((await relay.join('bob', withToken(token))).last('ERROR').payload.code).toBe('TOKEN_EXPIRED');
  });

  it('checklist 19: reconnectWindow: a lost connection can be taken up for so long', async () => {
    const { relay, client, state } = await connected({ settings: { reconnectWindowMs: 10 * MINUTE } });
    client.cut();
    await relay.pass(10 * MINUTE - 1_000);
    expect(await state()).toBe('disconnected');
    await relay.pass(1_500);
    expect(await state()).toBe('expired');
  });

  it('checklist 19: idleTimeout: heartbeats are no activity, a message is', async () => {
    const { relay, client, state } = await connected({ settings: { idleTimeoutMs: MINUTE } });
    await relay.pass(MINUTE - 1_000);
    client.send('ann', 'still here');
    await relay.pass(MINUTE - 1_000);
    expect(await state()).toBe('active');
    await relay.pass(2_000);
    expect(await state()).toBe('expired');
    expect(client.last('BYE').payload.code).toBe('SESSION_EXPIRED');
    expect(client.closed).toBe(true);
  });

  it('checklist 19: maxSessionDuration ends also a busy session; without it none ends by itself', async () => {
    const { relay, client, state } = await connected({ settings: { maxSessionMs: MINUTE } });
    for (let i = 0; i < 5; i++) {
      client.send('ann', String(i));
      await relay.pass(11_000);
    }
    expect(await state()).toBe('active');
    await relay.pass(6_000);
    expect(await state()).toBe('expired');
    const unlimited = await connected();
    await unlimited.relay.pass(60 * MINUTE);
    expect(await unlimited.state()).toBe('active');
  });

  it('checklist 20: reconnect needs the session id alone; the new token is good, the old one refused', async () => {
    const relay = new TestRelay();
    const { token, sessionId } = await relay.handoff('bob');
    const again = await reconnect(relay, { sessionId });
    expect(again.credentials?.sessionId).toBe(sessionId);
    expect(again.credentials?.token).not.toBe(token);
    expect((await relay.join('bob', withToken(token))).last('ERROR').payload.code).toBe('TOKEN_USED');
    const bob = await relay.join('bob', withToken(again.credentials?.token));
    expect(bob.last('WELCOME').payload.session_id).toBe(sessionId);
  });

  it('checklist 20: a token given while the one before is being used is not used up with it', async () => {
    const relay = new TestRelay();
    const { token, sessionId } = await relay.handoff('bob');
    const bob = await relay.join('bob', withToken(token));
    const again = await reconnect(relay, { sessionId });
    bob.say('PING', { nonce: 'first frame' });
    await settle();
    const next = await relay.join('bob', withToken(again.credentials?.token));
    expect(next.last('WELCOME').payload.session_id).toBe(sessionId);
  });

  it('checklist 20: the attempts count down to MAX_RECONNECTS', async () => {
    const relay = new TestRelay({ settings: { maxReconnects: 2 } });
    const { sessionId } = await relay.handoff('bob');
    const left = [];
    for (let i = 0; i < 2; i++) left.push((await reconnect(relay, { sessionId })).metadata?.reconnect);
    expect(left).toMatchObject([
      { allowed: true, maxAttempts: 1 },
      { allowed: false, maxAttempts: 0 },
    ]);
    expect((await relay.try('relay-reconnect', { sessionId })).error?.code).toBe('MAX_RECONNECTS');
  });

  it('checklist 20: closed, expired and unknown sessions have a code each, and a way out', async () => {
    const relay = new TestRelay();
    const [closed, expired] = [await relay.handoff('bob'), await relay.handoff('ann')];
    await relay.call('relay-disconnect', { sessionId: closed.sessionId });
    await relay.pass(6 * MINUTE);
    const error = async (sessionId: string) => (await relay.try('relay-reconnect', { sessionId })).error;
    const suggestion = expect.stringContaining('relay-connect');
    expect(await error(closed.sessionId)).toMatchObject({ code: 'SESSION_CLOSED', suggestion });
    expect(await error(expired.sessionId)).toMatchObject({ code: 'SESSION_EXPIRED', suggestion });
    expect(await error('s-0')).toMatchObject({ code: 'SESSION_NOT_FOUND', suggestion });
  });

  it('checklist 21: the session id is proof for those of our uid, unless they come with the token of another', async () => {
    const { relay, client, sessionId } = await connected();
    const eve = await relay.handoff('eve');
    for (const command of ['relay-status', 'relay-reconnect', 'relay-disconnect']) {
      const result = await relay.try(command, { sessionId }, eve.token);
      expect(result.error?.code).toBe('FORBIDDEN');
    }
    expect(client.closed).toBe(false);
    const own = client.last('WELCOME').payload.resume_token;
    expect((await reconnect(relay, { sessionId }, own)).credentials?.sessionId).toBe(sessionId);
    expect((await reconnect(relay, { sessionId })).credentials?.sessionId).toBe(sessionId);
  });

  it('checklist 22: what came after lastMessageId is delivered once and in order; before it, nothing', async () => {
    const { relay, client, sessionId } = await connected();
    for (const body of ['1', '2', '3', '4']) await relay.call('relay-send', { to: 'bob', body });
    await settle();
    const [first, second] = client.all('DELIVER');
    for (const seen of [first, second]) client.say('ACK', { ack_id: seen?.id as string });
    await settle();
    client.cut();
    await settle();
    const again = await reconnect(relay, { sessionId, lastMessageId: second?.id });
    expect(again.metadata?.catchUp).toEqual({ fromMessageId: second?.id });
    const bob = await relay.join('bob', withToken(again.credentials?.token));
    await relay.pass(1_000);
    expect(bob.bodies()).toEqual(['3', '4']);
  });

  it('checklist 22: a position that nobody knows is STALE, by command and by RESUME', async () => {
    const { relay, client, sessionId } = await connected();
    client.cut();
    const { error } = await relay.try('relay-reconnect', { sessionId, lastMessageId: 'long gone' });
    expect(error).toMatchObject({ code: 'STALE', suggestion: expect.stringMatching(/./) });
    const late = await relay.connect();
    late.say('RESUME', { session_id: 's-0', agent: 'bob', streams: {} });
    await settle();
    expect(late.last('NACK').payload.code).toBe('STALE');
  });

  it('checklist 23: disconnect says BYE, voids the tokens, and answers the same when called again', async () => {
    const { relay, client, token, sessionId } = await connected();
    client.send('ann', 'x');
    await relay.pass(2_000);
    const first = await relay.call('relay-disconnect', { sessionId, reason: 'done' });
    expect(first).toEqual({
      sessionId,
      closedAt: expect.stringMatching(/Z$/),
      duration: 2_000,
      messagesSent: 1,
    });
    await settle();
    expect(client.last('BYE').payload.code).toBe('SESSION_CLOSED');
    expect(client.closed).toBe(true);
    expect(await relay.call('relay-disconnect', { sessionId })).toEqual(first);
    for (const dead of [token, client.last('WELCOME').payload.resume_token]) {
      expect((await relay.try('relay-agents', {}, dead)).error?.code).toBe('TOKEN_UNKNOWN');
    }
    expect((await relay.join('bob', withToken(token))).all('WELCOME')).toEqual([]);
  });

  it('checklist 24: a second connection takes over; the first is told, and closed', async () => {
    const { relay, client } = await connected();
    const second = await relay.join('bob', withToken(client.last('WELCOME').payload.resume_token));
    expect(second.all('WELCOME')).toHaveLength(1);
    expect(client.last('ERROR').payload.code).toBe('SESSION_TAKEN_OVER');
    expect(client.last('BYE').payload.code).toBe('SESSION_TAKEN_OVER');
    expect(client.closed).toBe(true);
  });

  it('checklist 25: a token can be had anew before it expires, and its end does not cut a live stream', async () => {
    const relay = new TestRelay();
    const { token, sessionId } = await relay.handoff('bob');
    await relay.pass(4 * MINUTE);
    const next = await relay.call<{ token: string; expiresAt: string }>('relay-refresh-token', {
      sessionId,
      currentToken: token,
    });
    expect(Date.parse(next.expiresAt) - relay.clock.now()).toBe(5 * MINUTE);
    await relay.pass(4 * MINUTE);
    const bob = await relay.join('bob', withToken(next.token));
    await relay.pass(20 * MINUTE);
    await relay.call('relay-send', { to: 'bob', body: 'still there' });
    await settle();
    expect(bob.bodies()).toEqual(['still there']);
    expect((await relay.try('relay-refresh-token', { sessionId, currentToken: token })).error?.code).toBe(
      'TOKEN_UNKNOWN',
    );
  });

  it.each(['relay-connect', 'relay-reconnect'])(
    'checklist 26: the 11th %s of an agent in a minute is RATE_LIMITED',
    async (command) => {
      const relay = new TestRelay({ settings: { maxReconnects: 100 } });
      const { sessionId } = await relay.handoff('bob');
      const call = () => relay.try(command, command === 'relay-connect' ? { agent: 'bob' } : { sessionId });
      for (let i = 0; i < 9; i++) expect((await call()).success).toBe(true);
      expect((await call()).error).toMatchObject({
        code: 'RATE_LIMITED',
        retryable: true,
        details: { retryAfterSeconds: 60 },
      });
      expect((await relay.try('relay-connect', { agent: 'ann' })).success).toBe(true);
      await relay.pass(MINUTE);
      expect((await call()).success).toBe(true);
    },
  );

  it('all sessions survive a change of leader', async () => {
    const { RecordingStore } = await import('../../helpers/recording-store.ts');
    const store = new RecordingStore();
    const { client, token, sessionId } = await connected({ store });
    const next = new TestRelay({ store: store.successor(), epoch: 2, tookOver: true });
    expect((await next.call('relay-status', { sessionId })).state).toBe('disconnected');
    const bob = await next.join('bob', withToken(client.last('WELCOME').payload.resume_token));
    expect(bob.last('WELCOME').payload.session_id).toBe(sessionId);
    expect(token).toMatch(/^ah_/);
  });
});

describe('AFD conformance §4, fallback', () => {
  const scoped = `as_${'k'.repeat(43)}`;
  const scoped_token_hash = createHash('sha256').update(scoped).digest('hex');

  it('checklist 29: an empty poll is no error, and says when to ask again', async () => {
    const result = await new TestRelay().try('relay-poll');
    expect(result).toMatchObject({
      success: true,
      data: { messages: [], hasMore: false },
      metadata: { agentHints: { pollInterval: 5_000, nextAction: expect.stringContaining('since') } },
    });
  });

  it.each([0, 101, 1.5])('checklist 29: a limit of %s is refused', async (limit) => {
    expect((await new TestRelay().try('relay-poll', { limit })).error?.code).toBe('VALIDATION_ERROR');
  });

  it('checklist 29: 50 a page unless asked otherwise, and hasMore is exact at an exact fit', async () => {
    const relay = new TestRelay();
    for (let i = 0; i < 50; i++) await relay.call('relay-send', { to: 'user', body: String(i) });
    expect(await relay.call('relay-poll')).toMatchObject({ hasMore: false, messages: { length: 50 } });
  });

  it('checklist 29: an unknown since is an error with a way out, also the id of another’s message', async () => {
    const relay = new TestRelay();
    const bob = await relay.join('bob');
    await relay.call('relay-send', { to: 'bob', body: 'x' });
    await settle();
    for (const since of ['nonsense', bob.last('DELIVER').id]) {
      expect((await relay.try('relay-poll', { since })).error).toMatchObject({
        code: 'STALE',
        suggestion: expect.stringContaining('without since'),
      });
    }
  });

  it('checklist 30: two agents converse by relay-send and relay-poll alone', async () => {
    const relay = new TestRelay();
    const [ann, bob] = [await relay.handoff('ann'), await relay.handoff('bob')];
    type Page = { messages: { from: string; body: string }[]; lastMessageId: string };
    await relay.call('relay-send', { to: 'bob', body: 'ping' }, ann.token);
    const asked = await relay.call<Page>('relay-poll', {}, bob.token);
    expect(asked.messages).toMatchObject([{ from: 'ann', body: 'ping' }]);
    await relay.call('relay-send', { to: 'ann', body: 'pong' }, bob.token);
    expect((await relay.call<Page>('relay-poll', {}, ann.token)).messages).toMatchObject([{ body: 'pong' }]);
    const after = await relay.call<Page>('relay-poll', { since: asked.lastMessageId }, bob.token);
    expect(after.messages).toEqual([]);
  });

  it('checklist 30: what a wrapper types is not polled, and what was polled is not typed', async () => {
    const relay = new TestRelay();
    const bob = await relay.join('bob', {
      capabilities: { injects: true },
      session: { scoped_token_hash },
    });
    const bodies = async () =>
      (await relay.call<{ messages: { body: string }[] }>('relay-poll', {}, scoped)).messages;
    await relay.call('relay-send', { to: 'bob', body: 'typed' });
    await settle();
    expect(await bodies()).toEqual([]);
    bob.say('NACK', { ack_id: bob.last('DELIVER').id, code: 'DEFERRED', message: 'not now' });
    await settle();
    expect(await bodies()).toMatchObject([{ body: 'typed' }]);
    await relay.pass(30_000);
    expect(bob.bodies()).toEqual(['typed']);
  });
});

describe('P10 what a scoped token allows', () => {
  const scoped = `as_${'k'.repeat(43)}`;
  const scoped_token_hash = createHash('sha256').update(scoped).digest('hex');

  it.each([
    ['relay-send', { to: 'ann', body: 'x' }, undefined],
    ['relay-poll', {}, undefined],
    ['relay-agents', {}, undefined],
    ['relay-status', {}, undefined],
    ['relay-help', {}, undefined],
    ['relay-connect', { agent: 'bob' }, 'FORBIDDEN'],
    ['relay-disconnect', { sessionId: 's-0' }, 'FORBIDDEN'],
    ['relay-reconnect', { sessionId: 's-0' }, 'FORBIDDEN'],
    ['relay-refresh-token', {}, 'FORBIDDEN'],
    ['relay-subscribe', { topic: 't' }, 'FORBIDDEN'],
    ['relay-report', { sessionId: 's-0', status: 'ready' }, 'FORBIDDEN'],
    ['relay-poll', { agent: 'ann' }, 'FORBIDDEN'],
  ])('%s %j: %s', async (command, input, code) => {
    const relay = new TestRelay();
    await relay.join('bob', { session: { scoped_token_hash } });
    expect((await relay.try(command, input, scoped)).error?.code).toBe(code);
  });
});
