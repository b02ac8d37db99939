import { describe, expect, it } from 'vitest';
import { type AgentView, Conditions } from '../../../src/run/conditions.ts';
import type { Condition } from '../../../src/run/schema.ts';
import { said } from './message.ts';

const agent = (name: string, more: Partial<AgentView> = {}): AgentView => ({
  name,
  ended: false,
  joined: true,
  lastActiveAt: 0,
  awaited: false,
  ...more,
});

function met(condition: Condition, agents: AgentView[], now = 0, messages = [said('a', 'b', 'hi')]): boolean {
  const conditions = new Conditions([condition]);
  for (const message of messages) conditions.message(message);
  return conditions.met(agents, now) !== undefined;
}

describe('until', () => {
  it('exited: holds when those named have ended', () => {
    expect(met({ exited: 'all' }, [agent('a', { ended: true }), agent('b')])).toBe(false);
    expect(met({ exited: ['a'] }, [agent('a', { ended: true }), agent('b')])).toBe(true);
    expect(met({ exited: 'all' }, [agent('a', { ended: true }), agent('b', { ended: true })])).toBe(true);
  });

  it('message: counts each message once, however often its fate changes', () => {
    const conditions = new Conditions([{ message: { from: 'a' }, count: 2 }]);
    const first = said('a', 'b', 'one');
    conditions.message(first);
    conditions.message(first);
    expect(conditions.met([], 0)).toBeUndefined();
    conditions.message(said('a', 'b', 'two'));
    expect(conditions.met([], 0)).toBe('2 messages: from a');
  });

  it('message: sees a fate that comes later', () => {
    const conditions = new Conditions([{ message: { fate: 'delivered' } }]);
    const message = said('a', 'b', 'one', { recipients: [{ name: 'b', fate: 'waiting' }] });
    conditions.message(message);
    expect(conditions.met([], 0)).toBeUndefined();
    message.recipients[0] = { name: 'b', fate: 'delivered' };
    conditions.message(message);
    expect(conditions.met([], 0)).toBe('message: fate delivered');
  });

  it('messages: counts what agents say, not what we or the relay say', () => {
    const messages = [said('user', 'a', 'go'), said('system', 'a', 'no'), said('a', 'b', 'hi')];
    expect(met({ messages: 2 }, [], 0, messages)).toBe(false);
    expect(met({ messages: 1 }, [], 0, messages)).toBe(true);
  });

  it('idle: holds for agents that joined, were quiet for so long, and for whom nothing waits', () => {
    const idle: Condition = { idle: { agents: 'all', seconds: 2 } };
    expect(met(idle, [agent('a', { lastActiveAt: 100 })], 2_099)).toBe(false);
    expect(met(idle, [agent('a', { lastActiveAt: 100 })], 2_100)).toBe(true);
    expect(met(idle, [agent('a', { awaited: true })], 9_000)).toBe(false);
    expect(met(idle, [agent('a', { joined: false })], 9_000)).toBe(false);
    expect(met(idle, [agent('a', { ended: true, joined: false })], 0)).toBe(true);
  });
});
