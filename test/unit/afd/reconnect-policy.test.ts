import { describe, expect, it } from 'vitest';
import { createHandoff, type HandoffResult } from '../../../src/afd/handoff.ts';
import { reconnectPolicy } from '../../../src/afd/reconnect-policy.ts';

const allowing = (reconnect?: NonNullable<HandoffResult['metadata']>['reconnect']) =>
  createHandoff('toy', 'unix:///tmp/toy.sock', { metadata: reconnect ? { reconnect } : {} });

const longest = { random: () => 1 };
const shortest = { random: () => 0 };

describe('the policy of a reconnect', () => {
  it('is that of the handoff when the caller does not say, and ours when neither does', () => {
    const ours = reconnectPolicy(allowing(), longest);
    expect([ours.attempts, ours.waitMs(1)]).toEqual([5, 1000]);
    const handoff = allowing({ allowed: true, maxAttempts: 2, backoffMs: 10 });
    const its = reconnectPolicy(handoff, longest);
    expect([its.attempts, its.waitMs(1)]).toEqual([2, 10]);
    const callers = reconnectPolicy(handoff, { ...longest, maxAttempts: 7, backoffMs: 20 });
    expect([callers.attempts, callers.waitMs(1)]).toEqual([7, 20]);
  });

  it('is no attempt where the handoff allows none, whatever the caller says', () => {
    expect(reconnectPolicy(allowing({ allowed: false }), { maxAttempts: 3 }).attempts).toBe(0);
  });

  it('waits twice as long each time, but never longer than the longest', () => {
    const waits = (options: object) => {
      const { waitMs } = reconnectPolicy(allowing(), { backoffMs: 1000, ...longest, ...options });
      return [1, 2, 3, 4].map(waitMs);
    };
    expect(waits({})).toEqual([1000, 2000, 4000, 8000]);
    expect(waits({ maxBackoffMs: 1500 })).toEqual([1000, 1500, 1500, 1500]);
    expect(reconnectPolicy(allowing(), longest).waitMs(20)).toBe(30_000);
  });

  it('waits never less than half of what is due', () => {
    const { waitMs } = reconnectPolicy(allowing(), { ...shortest, backoffMs: 1000, maxBackoffMs: 1500 });
    expect([1, 2, 3].map(waitMs)).toEqual([500, 750, 750]);
  });

  it('does not wait where a caller names no time that can be waited', () => {
    for (const backoffMs of [-1, Number.NaN]) {
      expect(reconnectPolicy(allowing(), { ...longest, backoffMs }).waitMs(1)).toBe(0);
    }
  });
});
