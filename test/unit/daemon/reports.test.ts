import { describe, expect, it } from 'vitest';
import { settle } from '../../helpers/fake-clock.ts';
import { TestRelay } from '../../helpers/relay.ts';

async function wrapped() {
  const relay = new TestRelay();
  const bob = await relay.join('bob', { capabilities: { injects: true } });
  const ann = await relay.join('ann', { capabilities: { injects: true } });
  ann.acks = true;
  const sessionId = bob.last('WELCOME').payload.session_id;
  const report = (more: object) => relay.call('relay-report', { sessionId, ...more });
  const agent = async () =>
    (await relay.call<{ agents: Record<string, unknown>[] }>('relay-agents')).agents.find(
      ({ name }) => name === 'bob',
    );
  return { relay, ann, bob, sessionId, report, agent };
}

describe('relay-report', () => {
  it('shows in relay-agents what the wrapper sees, as long as it is connected', async () => {
    const { relay, bob, report, agent } = await wrapped();
    expect(await agent()).not.toHaveProperty('status');
    await report({ status: 'dialog', waitsFor: 'dialog', speech: 'hook' });
    expect(await agent()).toMatchObject({ status: 'dialog', waitsFor: 'dialog', speech: 'hook' });
    await report({ status: 'ready', speech: 'none' });
    expect(await agent()).toMatchObject({ status: 'ready', speech: 'none' });
    expect(await agent()).not.toHaveProperty('waitsFor');
    bob.cut();
    await settle();
    expect(await agent()).not.toHaveProperty('status');
    expect((await relay.call<{ agents: [] }>('relay-agents')).agents).toHaveLength(2);
  });

  it('is for the session’s owner alone', async () => {
    const { relay, sessionId } = await wrapped();
    const eve = await relay.handoff('eve');
    const code = async (input: object, token?: string) =>
      (await relay.try('relay-report', { status: 'ready', ...input }, token)).error?.code;
    expect(await code({ sessionId: 's-0' })).toBe('SESSION_NOT_FOUND');
    expect(await code({ sessionId }, eve.token)).toBe('FORBIDDEN');
    expect(await code({ sessionId: eve.sessionId })).toBe('SESSION_DISCONNECTED');
    expect(await code({ sessionId, status: 'asleep' })).toBe('VALIDATION_ERROR');
  });

  it('a message that waits 30 s for a dialog or a draft is told to its sender, once', async () => {
    const { relay, ann, report } = await wrapped();
    ann.send('bob', 'are you there?');
    await report({ status: 'dialog', waitsFor: 'dialog' });
    await relay.pass(29_000);
    expect(ann.bodies()).toEqual([]);
    await relay.pass(2_000);
    expect(ann.last('DELIVER')).toMatchObject({
      from: 'system',
      payload: { kind: 'notice', body: expect.stringContaining('bob shows a dialog') },
    });
    await relay.pass(300_000);
    expect(ann.bodies()).toHaveLength(1);
  });

  it('what passes by itself is told to nobody, nor what waits for less than 30 s', async () => {
    const { relay, ann, report } = await wrapped();
    ann.send('bob', 'x');
    await report({ status: 'busy', waitsFor: 'busy' });
    await relay.pass(60_000);
    await report({ status: 'ready', waitsFor: 'draft' });
    await relay.pass(20_000);
    await report({ status: 'ready' });
    await relay.pass(60_000);
    expect(ann.bodies()).toEqual([]);
  });
});
