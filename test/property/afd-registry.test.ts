import { describe, expect, it } from 'vitest';
import { CommandRegistry } from '../../src/afd/registry.ts';
import { FakeClock } from '../helpers/fake-clock.ts';
import fc from '../helpers/fast-check.ts';
import { chatConnect, chatPoll } from '../helpers/toy-commands.ts';

const registry = new CommandRegistry({ clock: new FakeClock() }).register(chatConnect, chatPoll);
const names = fc.oneof(fc.constantFrom('chat-connect', 'chat-poll', 'chat.poll'), fc.string());
const inputs = fc.oneof(
  fc.jsonValue(),
  fc.record(
    { room: fc.oneof(fc.string(), fc.constant('closed')), limit: fc.anything() },
    { requiredKeys: [] },
  ),
  fc.anything(),
);

describe('checklist 6–8: every call', () => {
  it('ends in a complete envelope, whatever name, input and trace id it has', async () => {
    await fc.assert(
      fc.asyncProperty(
        names,
        inputs,
        fc.option(fc.string(), { nil: undefined }),
        async (name, input, traceId) => {
          const result = await registry.execute(name, input, traceId === undefined ? {} : { traceId });
          expect(result.metadata?.traceId).toMatch(/^[\x21-\x7e]{1,128}$/);
          expect(typeof result.metadata?.executionTimeMs).toBe('number');
          if (result.success) {
            expect(result.data).toBeDefined();
            expect('error' in result).toBe(false);
            expect(result.reasoning).toMatch(/./);
          } else {
            expect('data' in result).toBe(false);
            expect(result.error.code).toMatch(/^[A-Z][A-Z0-9_]*$/);
            expect(result.error.message).toMatch(/./);
            expect(result.error.suggestion).toMatch(/./);
            expect(typeof result.error.retryable).toBe('boolean');
          }
          expect(JSON.parse(JSON.stringify(result))).toEqual(result);
        },
      ),
    );
  });
});
