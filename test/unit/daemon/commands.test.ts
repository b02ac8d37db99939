import { describe, expect, it } from 'vitest';
import { settle } from '../../helpers/fake-clock.ts';
import { TestRelay } from '../../helpers/relay.ts';

describe('relay-connect', () => {
  it('takes a name or a prefix, not both and not neither', async () => {
    const relay = new TestRelay();
    for (const input of [{ agent: 'a', agentPrefix: 'b' }, {}]) {
      expect((await relay.try('relay-connect', input)).error?.code).toBe('BAD_REQUEST');
    }
  });
});

describe('P22 what the commands show', () => {
  it('agents lists names and what waits, without a session id', async () => {
    const relay = new TestRelay();
    await relay.join('bob', { capabilities: { max_inflight: 1 } });
    for (const body of ['a', 'b']) await relay.call('relay-send', { to: 'bob', body });
    await settle();
    const answer = await relay.call<{ agents: unknown[] }>('relay-agents');
    expect(answer.agents).toMatchObject([{ name: 'bob', state: 'active', queueDepth: 1, inflight: 1 }]);
    expect(JSON.stringify(answer)).not.toContain('s-');
  });

  it('another’s token opens no session to it', async () => {
    const relay = new TestRelay();
    const bob = await relay.handoff('bob');
    const eve = await relay.handoff('eve');
    for (const command of ['relay-status', 'relay-disconnect', 'relay-reconnect']) {
      const result = await relay.try(command, { sessionId: bob.sessionId }, eve.token);
      expect(result.error?.code).toBe('FORBIDDEN');
    }
  });

  it('topics are the caller’s', async () => {
    const relay = new TestRelay();
    const bob = await relay.join('bob');
    const token = bob.last('WELCOME').payload.resume_token as string;
    expect(await relay.call('relay-subscribe', { topic: 'chat' }, token)).toEqual({
      agent: 'bob',
      topics: ['chat'],
    });
    await relay.call('relay-send', { topic: 'chat', body: 'x' });
    await settle();
    expect(bob.bodies()).toEqual(['x']);
    expect(await relay.call('relay-unsubscribe', { topic: 'chat' }, token)).toEqual({
      agent: 'bob',
      topics: [],
    });
  });
});
