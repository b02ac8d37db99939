import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { SessionTable } from '../../../src/daemon/session-table.ts';
import { settle } from '../../helpers/fake-clock.ts';
import { RecordingStore } from '../../helpers/recording-store.ts';
import { steadyRandom, TestRelay } from '../../helpers/relay.ts';

const withToken = (resume_token: string | undefined) =>
  resume_token === undefined ? {} : { session: { resume_token } };

describe('P7 tokens', () => {
  it('opens a session by a handoff token, and WELCOME names the session of the handoff', async () => {
    const relay = new TestRelay();
    const { token, sessionId } = await relay.handoff('bob');
    const bob = await relay.join('bob', withToken(token));
    expect(bob.last('WELCOME').payload.session_id).toBe(sessionId);
    expect(bob.last('WELCOME').payload.resume_token).toMatch(/^ar_/);
    expect((await relay.call('relay-status', { sessionId })).state).toBe('active');
  });

  it.each([
    ['an unknown', 'TOKEN_UNKNOWN', 'bob', () => `ah_${'x'.repeat(43)}`],
    ['a foreign', 'TOKEN_FOREIGN', 'eve', (token: string) => token],
  ])('refuses %s handoff token with %s and closes, delivering nothing', async (_, code, agent, tokenOf) => {
    const relay = new TestRelay();
    await relay.call('relay-send', { to: agent, body: 'secret' });
    const { token } = await relay.handoff('bob');
    const client = await relay.join(agent, withToken(tokenOf(token)));
    expect(client.last('ERROR').payload).toMatchObject({ code, fatal: true });
    expect(client.closed).toBe(true);
    expect(client.all('DELIVER')).toEqual([]);
  });

  it('refuses a handoff token that is too old', async () => {
    const relay = new TestRelay();
    const { token, sessionId } = await relay.handoff('bob');
    await relay.pass(5 * 60_000 + 500);
    const bob = await relay.join('bob', withToken(token));
    expect(bob.last('ERROR').payload.code).toBe('TOKEN_EXPIRED');
    expect((await relay.call('relay-status', { sessionId })).state).toBe('expired');
  });

  it('counts a handoff token as used once a frame has come after its WELCOME, and not before', async () => {
    const relay = new TestRelay();
    const { token } = await relay.handoff('bob');
    const first = await relay.join('bob', withToken(token));
    const second = await relay.join('bob', withToken(token));
    expect(second.all('WELCOME')).toHaveLength(1);
    expect(first.last('ERROR').payload.code).toBe('SESSION_TAKEN_OVER');
    expect(first.last('BYE').payload.code).toBe('SESSION_TAKEN_OVER');
    second.say('PING', { nonce: 'x' });
    await settle();
    const third = await relay.join('bob', withToken(token));
    expect(third.last('ERROR').payload.code).toBe('TOKEN_USED');
    expect(second.closed).toBe(false);
  });

  it('keeps no more resume tokens than a client may have, however often it comes and answers no WELCOME', async () => {
    const relay = new TestRelay();
    const first = await relay.join('bob');
    const { session_id: id, resume_token: old } = first.last('WELCOME').payload;
    let unread: string | undefined;
    for (let n = 0; n < 20; n++) {
      const again = await relay.join('bob', withToken(old));
      expect(again.last('WELCOME').payload.session_id).toBe(id);
      unread ??= again.last('WELCOME').payload.resume_token;
      again.cut();
      await settle();
    }
    expect((await relay.join('bob', withToken(unread))).last('ERROR').payload.code).toBe('RESUME_TOO_OLD');
  });

  it('keeps the first and the last few of those that nobody proves to have', () => {
    const table = new SessionTable();
    table.apply({ t: 'opened', session: 's', name: 'bob', at: 0 });
    for (let v = 2; v < 40; v++) {
      table.apply({ t: 'active', session: 's', v, at: 0, resume: `t${v}`, injects: false });
    }
    expect(table.get('s')?.resume).toEqual(['t2', 't33', 't34', 't35', 't36', 't37', 't38', 't39']);
    expect(table.byToken('t3')).toBeUndefined();
  });

  it('rotates resume tokens: the old one is good until a frame came after WELCOME', async () => {
    const relay = new TestRelay();
    const first = await relay.join('bob');
    const { session_id: id, resume_token: old } = first.last('WELCOME').payload;
    first.cut();
    await settle();
    const second = await relay.join('bob', withToken(old));
    expect(second.last('WELCOME').payload.session_id).toBe(id);
    second.cut();
    await settle();
    const third = await relay.join('bob', withToken(old));
    expect(third.last('WELCOME').payload.session_id).toBe(id);
    third.say('PING', {});
    await settle();
    third.cut();
    await settle();
    const fourth = await relay.join('bob', withToken(old));
    expect(fourth.last('ERROR').payload).toMatchObject({ code: 'RESUME_TOO_OLD', fatal: false });
    expect(fourth.last('WELCOME').payload.session_id).not.toBe(id);
  });

  it('answers an unknown resume token with RESUME_TOO_OLD and a new session (peer)', async () => {
    const relay = new TestRelay();
    const client = await relay.join('bob', withToken('whatever-the-peer-had'));
    expect(client.received.map(({ type }) => type)).toEqual(['ERROR', 'WELCOME']);
  });
});

describe('P8 resume', () => {
  it('replays what is unacknowledged to the session that comes back, with the same id and seq', async () => {
    const relay = new TestRelay();
    const [ann, bob] = [await relay.join('ann'), await relay.join('bob')];
    ann.send('bob', 'one');
    ann.send('bob', 'two');
    await settle();
    const [one, two] = bob.all('DELIVER');
    bob.say('ACK', { ack_id: one?.id as string });
    await settle();
    bob.cut();
    await settle();
    const again = await relay.join('bob', withToken(bob.last('WELCOME').payload.resume_token));
    expect(again.all('DELIVER')).toHaveLength(1);
    expect(again.last('DELIVER')).toMatchObject({
      id: two?.id,
      delivery: { seq: two?.delivery.seq, redelivered: true },
    });
  });

  it('RESUME as first frame gives WELCOME, SYNC and the replay', async () => {
    const relay = new TestRelay();
    const [ann, bob] = [await relay.join('ann'), await relay.join('bob')];
    ann.send('bob', 'one', { topic: 'chat' });
    await settle();
    const { session_id } = bob.last('WELCOME').payload;
    bob.cut();
    await settle();
    const again = await relay.connect();
    again.say('RESUME', { session_id, agent: 'bob', streams: { chat: { last_seq: 0 } } });
    await settle();
    expect(again.received.map(({ type }) => type)).toEqual(['WELCOME', 'SYNC', 'DELIVER']);
    expect(again.last('SYNC').payload.streams).toEqual([
      { topic: 'chat', peer: 'ann', last_seq: 0, server_last_seq: again.last('DELIVER').delivery.seq },
    ]);
  });

  it('RESUME after WELCOME gives SYNC, and what is unacknowledged again', async () => {
    const relay = new TestRelay();
    const [ann, bob] = [await relay.join('ann'), await relay.join('bob')];
    for (const body of ['one', 'two', 'three']) ann.send('bob', body);
    await settle();
    bob.say('ACK', { ack_id: bob.all('DELIVER')[1]?.id as string });
    await settle();
    const { session_id } = bob.last('WELCOME').payload;
    bob.received.length = 0;
    bob.say('RESUME', { session_id, agent: 'bob', streams: { default: { last_seq: 0 } } });
    await settle();
    expect(bob.received.map(({ type }) => type)).toEqual(['SYNC', 'DELIVER', 'DELIVER']);
    expect(bob.bodies()).toEqual(['one', 'three']);
    expect(bob.last('DELIVER').delivery.redelivered).toBe(true);
    bob.say('RESUME', { session_id: 's-of-another', agent: 'bob', streams: {} });
    await settle();
    expect(bob.last('NACK').payload.code).toBe('STALE');
  });

  it('answers STALE where something behind the position of a known session is kept no more', async () => {
    const relay = new TestRelay({
      settings: { retentionMs: 60_000, reconnectWindowMs: 3_600_000, maxSessionMs: 0 },
    });
    const [ann, bob] = [await relay.join('ann'), await relay.join('bob')];
    ann.send('bob', 'one', { topic: 'chat' });
    ann.send('bob', 'brief', { topic: 'brief', ttl: 1_000 });
    await settle();
    const { session_id } = bob.last('WELCOME').payload;
    const [one, brief] = bob.all('DELIVER').map(({ delivery }) => delivery.seq);
    for (const { id } of bob.all('DELIVER')) bob.say('ACK', { ack_id: id });
    await settle();
    bob.cut();
    await settle();
    ann.send('bob', 'lost', { topic: 'chat' });
    ann.send('bob', 'too brief', { topic: 'brief', ttl: 1_000 });
    await relay.pass(61_000);
    ann.send('bob', 'kept', { topic: 'chat' });
    await settle();
    const again = await relay.connect();
    const resume = (streams: Record<string, { last_seq: number }>) =>
      again.say('RESUME', { session_id, agent: 'bob', streams });
    const id = resume({ chat: { last_seq: one as number } });
    await settle();
    expect(again.received).toEqual([again.last('NACK')]);
    expect(again.last('NACK').payload).toMatchObject({ ack_id: id, code: 'STALE' });
    again.say('HELLO', { agent: 'bob' });
    await settle();
    expect(again.bodies()).toEqual(['kept']);
    // Of another stream nothing is missing but what had a time of its own.
    const fresh = again.last('WELCOME').payload.session_id;
    again.say('RESUME', {
      session_id: fresh,
      agent: 'bob',
      streams: { brief: { last_seq: brief as number } },
    });
    await settle();
    expect(again.last('SYNC').payload.streams).toMatchObject([{ topic: 'brief', peer: 'ann' }]);
  });

  it('P13, P23 RESUME has no place for capabilities: those of the HELLO hold, under the next leader too', async () => {
    const store = new RecordingStore();
    const first = new TestRelay({ store });
    const ann = await first.join('ann');
    const bob = await first.join('bob', {
      capabilities: { ack: true, max_inflight: 2, cumulative_ack: true },
    });
    const { session_id } = bob.last('WELCOME').payload;
    for (const body of ['one', 'two', 'three', 'four']) ann.send('bob', body);
    await settle();
    bob.cut();
    await settle();
    for (const relay of [first, new TestRelay({ store: store.successor(), epoch: 2 })]) {
      const again = await relay.connect();
      again.say('RESUME', { session_id, agent: 'bob' });
      await settle();
      expect(again.bodies()).toEqual(['one', 'two']);
      const { seq } = again.last('DELIVER').delivery;
      again.say('ACK', { topic: 'default', peer: 'ann', up_to_seq: seq });
      await settle();
      expect(again.bodies()).toEqual(['one', 'two', 'three', 'four']);
    }
  });

  it('answers STALE for a session it does not know, and the connection may say HELLO', async () => {
    const relay = new TestRelay();
    const client = await relay.connect();
    const id = client.say('RESUME', { session_id: 's-unknown', agent: 'bob' });
    await settle();
    expect(client.last('NACK').payload).toMatchObject({ ack_id: id, code: 'STALE' });
    client.say('HELLO', { agent: 'bob' });
    await settle();
    expect(client.all('WELCOME')).toHaveLength(1);
  });
});

describe('P9 names', () => {
  it.each(['', '.', '..', 'a b', 'user', 'System', 'x'.repeat(65), '../etc'])(
    'refuses the name %j',
    async (agent) => {
      const client = await new TestRelay().join(agent);
      expect(client.last('ERROR').payload.code).toBe('BAD_NAME');
      expect(client.closed).toBe(true);
    },
  );

  it('refuses a second connection without the token of the session, and does not touch the first', async () => {
    const relay = new TestRelay();
    const first = await relay.join('bob');
    const second = await relay.join('bob');
    expect(second.last('ERROR').payload.code).toBe('NAME_IN_USE');
    expect(second.closed).toBe(true);
    expect(first.closed).toBe(false);
  });

  it('lets a new HELLO inherit the queue of a name that is disconnected', async () => {
    const relay = new TestRelay();
    const [ann, bob] = [await relay.join('ann'), await relay.join('bob')];
    bob.cut();
    await settle();
    ann.send('bob', 'for the name');
    await settle();
    const other = await relay.join('bob');
    expect(other.bodies()).toEqual(['for the name']);
  });

  it('a new HELLO closes the session there was: its token is unknown then', async () => {
    const relay = new TestRelay();
    const old = await relay.join('bob');
    old.cut();
    await settle();
    const fresh = await relay.join('bob');
    fresh.cut();
    await settle();
    const again = await relay.join('bob', withToken(old.last('WELCOME').payload.resume_token));
    expect(again.last('ERROR').payload).toMatchObject({ code: 'RESUME_TOO_OLD', fatal: false });
    expect(again.last('WELCOME').payload.session_id).not.toBe(old.last('WELCOME').payload.session_id);
  });

  it('keeps the name of a wrapper for 10 s after the leader’s start', async () => {
    const store = new RecordingStore();
    const wrapper = await new TestRelay({ store }).join('bob', { capabilities: { injects: true } });
    wrapper.cut();
    await settle();
    const next = new TestRelay({ store: store.successor(), epoch: 2, random: steadyRandom('next') });
    expect((await next.join('bob')).last('ERROR').payload.code).toBe('NAME_IN_USE');
    await next.pass(10_001);
    expect((await next.join('bob')).all('WELCOME')).toHaveLength(1);
  });

  it('keeps the name of a wrapper for 10 s after an unclean disconnect', async () => {
    const relay = new TestRelay();
    const wrapper = await relay.join('bob', { capabilities: { injects: true } });
    wrapper.cut();
    await settle();
    expect((await relay.join('bob')).last('ERROR').payload.code).toBe('NAME_IN_USE');
    expect((await relay.try('relay-connect', { agent: 'bob' })).error).toMatchObject({ retryable: true });
    await relay.pass(10_001);
    expect((await relay.join('bob')).all('WELCOME')).toHaveLength(1);
  });

  it('gives names by prefix one after the other, and none for 2 s after a takeover', async () => {
    const relay = new TestRelay({ tookOver: true });
    expect((await relay.try('relay-connect', { agentPrefix: 'codex' })).error?.code).toBe('NAME_IN_USE');
    await relay.pass(2_000);
    const names = [];
    for (let i = 0; i < 3; i++) {
      type Handoff = { credentials: { headers: Record<string, string> } };
      const handoff = await relay.call<Handoff>('relay-connect', { agentPrefix: 'codex' });
      names.push(handoff.credentials.headers['agent-name']);
    }
    expect(names).toEqual(['codex-1', 'codex-2', 'codex-3']);
  });

  it('BYE closes the session and is answered by BYE; the queue stays', async () => {
    const relay = new TestRelay();
    const [ann, bob] = [await relay.join('ann'), await relay.join('bob')];
    ann.send('bob', 'unread');
    await settle();
    bob.say('BYE', {});
    await settle();
    expect(bob.all('BYE')).toHaveLength(1);
    expect(bob.closed).toBe(true);
    expect((await relay.join('bob')).bodies()).toEqual(['unread']);
  });
});

describe('P10 scoped tokens', () => {
  const token = `as_${'k'.repeat(43)}`;
  const scoped_token_hash = createHash('sha256').update(token).digest('hex');

  it('speak for the agent while its session is active', async () => {
    const relay = new TestRelay();
    const bob = await relay.join('bob', { session: { scoped_token_hash } });
    const ann = await relay.join('ann');
    await relay.call('relay-send', { to: 'ann', body: 'from the shell' }, token);
    await settle();
    expect(ann.last('DELIVER').from).toBe('bob');
    bob.cut();
    await settle();
    expect((await relay.try('relay-send', { to: 'ann', body: 'x' }, token)).error).toMatchObject({
      code: 'SESSION_DISCONNECTED',
      retryable: true,
    });
  });

  it('a call that names an agent needs its token, and never passes for the person', async () => {
    const relay = new TestRelay();
    await relay.join('bob', { session: { scoped_token_hash } });
    const code = async (input: object, by?: string) => (await relay.try('relay-send', input, by)).error?.code;
    expect(await code({ from: 'bob', to: 'ann', body: 'x' })).toBe('TOKEN_REQUIRED');
    expect(await code({ from: 'ann', to: 'bob', body: 'x' }, token)).toBe('FORBIDDEN');
    expect(await code({ to: 'ann', body: 'x' }, `as_${'z'.repeat(43)}`)).toBe('TOKEN_UNKNOWN');
  });
});

describe('§2 of the handoff: the life of a session', () => {
  it('goes through all five states, and status changes nothing', async () => {
    const relay = new TestRelay();
    const { token, sessionId } = await relay.handoff('bob');
    const state = async () => (await relay.call('relay-status', { sessionId })).state;
    expect(await state()).toBe('pending');
    const bob = await relay.join('bob', withToken(token));
    expect(await state()).toBe('active');
    const before = await relay.call('relay-status', { sessionId });
    await relay.pass(1_000);
    expect(await relay.call('relay-status', { sessionId })).toEqual(before);
    bob.cut();
    await settle();
    expect(await state()).toBe('disconnected');
    await relay.pass(5 * 60_000 + 500);
    expect(await state()).toBe('expired');
    expect((await relay.try('relay-reconnect', { sessionId })).error?.code).toBe('SESSION_EXPIRED');
  });

  it('reconnect gives a new token for the same session, until there are no attempts left', async () => {
    const relay = new TestRelay({ settings: { maxReconnects: 2 } });
    const { token, sessionId } = await relay.handoff('bob');
    type Handoff = {
      credentials: { token: string; sessionId: string };
      metadata: { reconnect: { allowed: boolean; maxAttempts: number } };
    };
    const one = await relay.call<Handoff>('relay-reconnect', { sessionId });
    expect(one.credentials.sessionId).toBe(sessionId);
    expect(one.metadata.reconnect).toMatchObject({ allowed: true, maxAttempts: 1 });
    expect((await relay.join('bob', withToken(token))).last('ERROR').payload.code).toBe('TOKEN_USED');
    const two = await relay.call<Handoff>('relay-reconnect', { sessionId });
    expect(two.metadata.reconnect.allowed).toBe(false);
    expect((await relay.try('relay-reconnect', { sessionId })).error?.code).toBe('MAX_RECONNECTS');
    expect((await relay.join('bob', withToken(two.credentials.token))).all('WELCOME')).toHaveLength(1);
  });

  it('disconnect ends connection and tokens, twice the same', async () => {
    const relay = new TestRelay();
    const { token, sessionId } = await relay.handoff('bob');
    const bob = await relay.join('bob', withToken(token));
    const first = await relay.call('relay-disconnect', { sessionId });
    expect(first).toMatchObject({ sessionId, messagesSent: 0 });
    await settle();
    expect(bob.last('BYE').payload.code).toBe('SESSION_CLOSED');
    expect(bob.closed).toBe(true);
    expect(await relay.call('relay-disconnect', { sessionId })).toEqual(first);
    expect((await relay.try('relay-reconnect', { sessionId })).error?.code).toBe('SESSION_CLOSED');
    expect((await relay.try('relay-status', { sessionId: 's-0' })).error?.code).toBe('SESSION_NOT_FOUND');
  });

  it('limits handoffs to 10 a minute and agent', async () => {
    const relay = new TestRelay();
    for (let i = 0; i < 10; i++) await relay.handoff('bob');
    expect((await relay.try('relay-connect', { agent: 'bob' })).error).toMatchObject({
      code: 'RATE_LIMITED',
      retryable: true,
    });
    await relay.handoff('ann');
    await relay.pass(60_000);
    await relay.handoff('bob');
  });

  it('counts no connect that was refused: who waited for a taken name has it when it is free', async () => {
    const relay = new TestRelay();
    const bob = await relay.join('bob');
    for (let i = 0; i < 30; i++) {
      expect((await relay.try('relay-connect', { agent: 'bob' })).error?.code).toBe('NAME_IN_USE');
    }
    bob.say('BYE', {});
    await settle();
    await relay.handoff('bob');
  });

  it('counts each guess at a session’s id', async () => {
    const relay = new TestRelay();
    const guess = async (n: number) =>
      (await relay.try('relay-reconnect', { sessionId: `s-${String(n).padStart(32, '0')}` })).error?.code;
    for (let i = 0; i < 10; i++) expect(await guess(i)).toBe('SESSION_NOT_FOUND');
    expect(await guess(10)).toBe('RATE_LIMITED');
  });
});
