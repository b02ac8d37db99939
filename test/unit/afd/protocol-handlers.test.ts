import { describe, expect, expectTypeOf, it } from 'vitest';
import { createHandoff, type HandoffResult } from '../../../src/afd/handoff.ts';
import {
  connectHandoff,
  type HandoffConnection,
  ProtocolHandlers,
  registerProtocolHandler,
} from '../../../src/afd/protocol-handlers.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';

const connectionTo = (handoff: HandoffResult): HandoffConnection => ({
  send: () => {},
  close: () => {},
  state: 'connected',
  protocol: handoff.protocol,
  endpoint: handoff.endpoint,
});
const toy = createHandoff('toy', 'unix:///tmp/toy.sock');

describe('checklist 12: connecting with a handoff', () => {
  it('uses the handler of its protocol', async () => {
    const handlers = new ProtocolHandlers().register('toy', async (handoff) => connectionTo(handoff));
    expect((await handlers.connect(toy)).endpoint).toBe('unix:///tmp/toy.sock');
  });

  it("gives a host its handler's own type back", async () => {
    const handlers = new ProtocolHandlers<HandoffConnection & { name: string }>();
    handlers.register('toy', async (handoff) => ({ ...connectionTo(handoff), name: 'bob' }));
    const connection = await handlers.connect(toy);
    expectTypeOf(connection.name).toBeString();
    expect(connection.name).toBe('bob');
  });

  it('names the protocols it knows when the handoff is of another', async () => {
    const handlers = new ProtocolHandlers().register('a', async () => connectionTo(toy));
    handlers.register('b', async () => connectionTo(toy));
    await expect(handlers.connect(toy)).rejects.toMatchObject({
      code: 'PROTOCOL_UNKNOWN',
      message: "no protocol handler registered for 'toy'; known: a, b",
    });
    await expect(new ProtocolHandlers().connect(toy)).rejects.toThrow('known: none');
  });

  it('refuses an expired handoff and a malformed one before any handler sees it', async () => {
    const clock = new FakeClock(Date.parse('2026-01-01T00:00:00Z'));
    let calls = 0;
    const handlers = new ProtocolHandlers(clock).register('toy', async () => {
      calls += 1;
      return connectionTo(toy);
    });
    const expired = createHandoff('toy', toy.endpoint, { metadata: { expiresAt: '2026-01-01T00:00:00Z' } });
    await expect(handlers.connect(expired)).rejects.toMatchObject({ code: 'TOKEN_EXPIRED' });
    await expect(handlers.connect({ ...toy, endpoint: '/tmp/x' })).rejects.toMatchObject({
      code: 'BAD_HANDOFF',
      message: 'the handoff is malformed at endpoint',
    });
    const cancelled = handlers.connect(toy, { signal: AbortSignal.abort() });
    await expect(cancelled).rejects.toMatchObject({ code: 'COMMAND_CANCELLED' });
    expect(calls).toBe(0);
  });

  it('offers the plain functions of AFD over handlers of the process', async () => {
    await expect(connectHandoff(toy)).rejects.toMatchObject({ code: 'PROTOCOL_UNKNOWN' });
    registerProtocolHandler('toy', async (handoff) => connectionTo(handoff));
    expect((await connectHandoff(toy)).protocol).toBe('toy');
  });
});
