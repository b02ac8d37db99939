import { describe, expect, it } from 'vitest';
import { isHandoff } from '../../../src/afd/handoff.ts';
import { validateCommandSurface } from '../../../src/afd/surface.ts';
import { lineLog } from '../../../src/base/log.ts';
import { settle } from '../../helpers/fake-clock.ts';
import { TestRelay } from '../../helpers/relay.ts';

describe('checklist 1–5: the surface', () => {
  it('has nothing to find fault with', () => {
    expect(validateCommandSurface(new TestRelay().daemon.commands.list())).toEqual([]);
  });

  it('tags handoffs so that clients find the protocol', async () => {
    const { commands } = new TestRelay().daemon;
    const tags = ['relay', 'handoff', 'handoff:agent-relay', 'handoff:resumable'];
    expect(commands.get('relay-connect')?.tags).toEqual(tags);
    expect(commands.get('relay.reconnect')?.tags).toEqual(tags);
  });

  it('help lists by tag', async () => {
    const relay = new TestRelay();
    type Help = { commands: { name: string }[] };
    const names = async (input: object) =>
      (await relay.call<Help>('relay-help', input)).commands.map(({ name }) => name);
    expect(await names({ tags: ['handoff'] })).toEqual(['relay-connect', 'relay-reconnect']);
    expect(await names({ consume: [], tags: ['handoff'] })).toEqual([]);
    expect(await names({ command: 'relay-poll' })).toEqual(['relay-poll']);
  });
});

describe('checklist 13–16: the handoff', () => {
  it('is a HandoffResult with a token that lives five minutes, and hints outside of data', async () => {
    const relay = new TestRelay();
    const result = await relay.try('relay-connect', { agent: 'bob' });
    if (!result.success) throw new Error(result.error.code);
    const data = result.data as { metadata: { expiresAt: string }; endpoint: string };
    expect(isHandoff(data)).toBe(true);
    expect(Date.parse(data.metadata.expiresAt) - relay.clock.now()).toBe(5 * 60_000);
    expect(result.metadata?.agentHints).toMatchObject({ fallbackCommand: 'relay-poll', consumable: false });
    expect(result._agentHints).toEqual(result.metadata?.agentHints);
    expect(data.endpoint).not.toContain('ah_');
  });

  it('refuses a name and a prefix together, and invalid input opens no session', async () => {
    const relay = new TestRelay();
    expect((await relay.try('relay-connect', { agent: 'a', agentPrefix: 'b' })).error?.code).toBe(
      'BAD_REQUEST',
    );
    expect((await relay.try('relay-connect', { agent: 7 })).error?.code).toBe('VALIDATION_ERROR');
    expect((await relay.try('relay-connect', { agent: 'a', ttlMs: 1e9 })).error?.code).toBe(
      'VALIDATION_ERROR',
    );
    expect((await relay.call<{ agents: [] }>('relay-agents')).agents).toEqual([]);
  });
});

describe('checklist 27: logs', () => {
  it('audit a connect by the token’s id; no token is anywhere in them', async () => {
    const lines: string[] = [];
    const relay = new TestRelay({ log: lineLog((line) => lines.push(line), 'debug') });
    const { token } = await relay.handoff('bob');
    const bob = await relay.join('bob', { session: { resume_token: token } });
    const resume = bob.last('WELCOME').payload.resume_token as string;
    await relay.call('relay-refresh-token', {
      sessionId: bob.last('WELCOME').payload.session_id,
      currentToken: resume,
    });
    const text = lines.join('\n');
    expect(text).toMatch(/"event":"audit".*"tokenId":"t-[0-9a-f]{12}".*"command":"relay-connect"/);
    for (const secret of [token, resume, bob.last('WELCOME').payload.session_id])
      expect(text).not.toContain(secret);
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
