import { describe, expect, it } from 'vitest';
import fc from '../helpers/fast-check.ts';
import { RecordingStore } from '../helpers/recording-store.ts';
import { TestRelay } from '../helpers/relay.ts';

interface Page {
  messages: { id: string; body: string; redelivered?: boolean }[];
  hasMore: boolean;
  lastMessageId?: string;
}

const limit = fc.integer({ min: 1, max: 5 });
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('send' as const), topic: fc.constantFrom('a', 'b') }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('poll' as const), limit }) },
  /** The answer is lost on its way. */
  { weight: 2, arbitrary: fc.record({ do: fc.constant('lose' as const), limit }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('lapse' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('takeover' as const) }) },
);

describe('P27 any order of sends, polls, lost answers, lapses and takeovers', () => {
  it('checklist 29: nothing is lost, a repeat is marked as one, hasMore never lies', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        let store = new RecordingStore();
        let relay = new TestRelay({ store });
        let since: string | undefined;
        let sent = 0;
        /** Ids that reached the poller. */
        const seen = new Set<string>();
        const numbers: number[] = [];
        const poll = (limit: number) => relay.call<Page>('relay-poll', { since, limit });
        const take = (page: Page) => {
          for (const { id, body, redelivered } of page.messages) {
            if (seen.has(id)) {
              expect(redelivered).toBe(true);
              continue;
            }
            seen.add(id);
            numbers.push(Number(body));
          }
          since = page.lastMessageId ?? since;
        };
        for (const each of steps) {
          if (each.do === 'send') {
            await relay.call('relay-send', { to: 'user', topic: each.topic, body: String(sent++) });
          } else if (each.do === 'poll') {
            take(await poll(each.limit));
          } else if (each.do === 'lose') {
            await poll(each.limit);
          } else if (each.do === 'lapse') {
            await relay.pass(61_000);
          } else {
            store = store.successor();
            relay = new TestRelay({ store, epoch: relay.daemon.epoch + 1 });
          }
        }
        for (let left = sent + 2, more = true; more; left--) {
          expect(left).toBeGreaterThan(0);
          const page = await poll(3);
          take(page);
          more = page.hasMore || page.messages.length > 0;
          if (page.hasMore) expect(await poll(3)).not.toMatchObject({ messages: [] });
        }
        // What a lapsed claim left behind comes now, if it did not before.
        await relay.pass(61_000);
        for (let page = await poll(100); page.messages.length > 0; page = await poll(100)) take(page);
        expect(numbers.sort((a, b) => a - b)).toEqual(Array.from({ length: sent }, (_, n) => n));
      }),
      { numRuns: 60 },
    );
  });

  it('checklist 29: a poller that always names what it got last sees each message once, in order', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(fc.constant('send' as const), limit), { maxLength: 40 }),
        async (steps) => {
          const relay = new TestRelay();
          const got: string[] = [];
          let since: string | undefined;
          let sent = 0;
          const poll = async (limit: number) => {
            const page = await relay.call<Page>('relay-poll', { since, limit });
            got.push(...page.messages.map(({ body }) => body));
            expect(page.hasMore).toBe(got.length < sent);
            since = page.lastMessageId ?? since;
            return page;
          };
          for (const each of steps) {
            if (each === 'send') await relay.call('relay-send', { to: 'user', body: String(sent++) });
            else await poll(each);
          }
          while ((await poll(2)).hasMore);
          expect(got).toEqual(Array.from({ length: sent }, (_, n) => String(n)));
        },
      ),
      { numRuns: 60 },
    );
  });
});
