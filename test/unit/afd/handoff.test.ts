import { describe, expect, it } from 'vitest';
import {
  createHandoff,
  getHandoffTTL,
  HandoffResultSchema,
  isHandoff,
  isHandoffExpired,
  isHandoffProtocol,
  isReconnectPolicy,
} from '../../../src/afd/handoff.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';

const full = {
  protocol: 'agent-relay',
  endpoint: 'unix:///tmp/a%20b/relay.sock',
  credentials: { token: 't', sessionId: 's', headers: { a: 'b' } },
  metadata: {
    expectedLatency: 1,
    capabilities: ['text'],
    expiresAt: '2026-01-01T00:05:00.000Z',
    reconnect: { allowed: true, maxAttempts: 10, backoffMs: 100 },
    description: 'd',
    catchUp: { fromMessageId: 'm' },
  },
};

describe('checklist 13: HandoffResult', () => {
  it('accepts every field of the specification and gives it back', () => {
    expect(HandoffResultSchema.parse(full)).toEqual(full);
    expect(isHandoff(full)).toBe(true);
  });

  it.each(['unix:///tmp/x.sock', 'npipe://./pipe/x', 'ws+unix:/tmp/x', 'ws://h/x'])(
    'accepts %s',
    (endpoint) => {
      expect(isHandoff({ protocol: 'p', endpoint })).toBe(true);
    },
  );

  it.each([
    ['a bare path', { ...full, endpoint: '/tmp/x.sock' }],
    ['a bare pipe', { ...full, endpoint: '\\\\.\\pipe\\x' }],
    ['an empty protocol', { ...full, protocol: '' }],
    ['credentials: null', { ...full, credentials: null }],
    ['a policy without allowed', { ...full, metadata: { reconnect: {} } }],
    ['an expiry with an offset', { ...full, metadata: { expiresAt: '2026-01-01T00:00:00+01:00' } }],
    ['a string', 'unix:///tmp/x.sock'],
    ['null', null],
  ])('refuses %s', (_what, value) => {
    expect(isHandoff(value)).toBe(false);
  });

  it('Tolerances: strips keys it does not know, at every level', () => {
    const more = {
      protocol: 'p',
      endpoint: 'ws://h/x',
      extra: 1,
      credentials: { extra: 1 },
      metadata: { reconnect: { allowed: true, extra: 1 } },
    };
    expect(HandoffResultSchema.parse(more)).toEqual({
      protocol: 'p',
      endpoint: 'ws://h/x',
      credentials: {},
      metadata: { reconnect: { allowed: true } },
    });
  });

  it('is made by createHandoff, with the default policy for reconnect: true', () => {
    expect(createHandoff('p', 'ws://h/x')).toEqual({ protocol: 'p', endpoint: 'ws://h/x' });
    const handoff = createHandoff('p', 'ws://h/x', { metadata: { reconnect: true } });
    expect(handoff.metadata?.reconnect).toEqual({ allowed: true, maxAttempts: 3, backoffMs: 1000 });
    expect(isHandoff(handoff)).toBe(true);
    expect(isHandoffProtocol(handoff, 'p')).toBe(true);
    expect(isHandoffProtocol(handoff, 'q')).toBe(false);
  });

  it('knows a reconnect policy', () => {
    expect(isReconnectPolicy({ allowed: false })).toBe(true);
    expect(isReconnectPolicy({ maxAttempts: 1 })).toBe(false);
    expect(isReconnectPolicy(null)).toBe(false);
  });
});

describe('checklist 15: expiry', () => {
  it('counts down to zero and is expired from that millisecond on', () => {
    const clock = new FakeClock(Date.parse('2026-01-01T00:00:00Z'));
    expect(getHandoffTTL(full, clock)).toBe(300_000);
    clock.advance(299_999);
    expect(isHandoffExpired(full, clock)).toBe(false);
    clock.advance(1);
    expect(isHandoffExpired(full, clock)).toBe(true);
    clock.advance(1_000_000);
    expect(getHandoffTTL(full, clock)).toBe(0);
  });

  it('never expires without expiresAt', () => {
    const handoff = createHandoff('p', 'ws://h/x');
    expect(getHandoffTTL(handoff)).toBeNull();
    expect(isHandoffExpired(handoff)).toBe(false);
  });
});
