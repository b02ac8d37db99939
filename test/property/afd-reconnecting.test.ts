import { describe, expect, it } from 'vitest';
import { createHandoff } from '../../src/afd/handoff.ts';
import { type HandoffConnectionOptions, ProtocolHandlers } from '../../src/afd/protocol-handlers.ts';
import { createReconnectingHandoff } from '../../src/afd/reconnecting.ts';
import { error, success } from '../../src/afd/result.ts';
import { FakeClock } from '../helpers/fake-clock.ts';
import fc from '../helpers/fast-check.ts';

const handoff = createHandoff('toy', 'unix:///tmp/x', { credentials: { sessionId: 's' } });

/** How one attempt may go. */
const outcome = fc.constantFrom(
  'ok',
  'refused',
  'throws',
  'garbage',
  'hangs',
  'no-connection',
  'lost-at-once',
);
type Outcome = typeof outcome extends fc.Arbitrary<infer T> ? T : never;

describe('checklist 20: a reconnecting handoff', () => {
  it('never hangs: after any attempts it is connected again, or failed and says so once', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(outcome, { maxLength: 6 }),
        fc.integer({ min: 0, max: 4 }),
        async (plan, max) => {
          const clock = new FakeClock();
          const left: Outcome[] = [...plan];
          let current: Outcome = 'ok';
          let calls = 0;
          let failures = 0;
          let live: HandoffConnectionOptions = {};
          const handlers = new ProtocolHandlers(clock).register(
            'toy',
            async ({ protocol, endpoint }, options) => {
              if (current === 'no-connection') throw new Error('ECONNREFUSED');
              if (current === 'lost-at-once') options.onDisconnect?.();
              live = options;
              return { send: () => {}, close: () => {}, state: 'connected', protocol, endpoint };
            },
          );
          const client = {
            async call(): Promise<unknown> {
              calls += 1;
              current = left.shift() ?? 'ok';
              if (current === 'refused') return error('TIMEOUT', 'busy');
              if (current === 'throws') throw new Error('gone');
              if (current === 'garbage') return { nonsense: true };
              if (current === 'hangs') return new Promise(() => {});
              return success(handoff);
            },
          };
          const connection = await createReconnectingHandoff(client, handoff, {
            reconnectCommand: 'toy-reconnect',
            maxAttempts: max,
            handlers,
            clock,
            onReconnectFailed: () => {
              failures += 1;
            },
          });
          live.onDisconnect?.();
          await clock.advanceAsync(10 * 60_000);

          const firstGood = plan.concat('ok').indexOf('ok');
          const comesBack = firstGood < max;
          expect(connection.state).toBe(comesBack ? 'connected' : 'failed');
          expect(calls).toBe(comesBack ? firstGood + 1 : max);
          expect(failures).toBe(comesBack ? 0 : 1);
          expect(clock.timers).toBe(0);
          await connection.close();
        },
      ),
      { numRuns: 100 },
    );
  });
});
