import { describe, expect, it } from 'vitest';
import { settle } from '../helpers/fake-clock.ts';
import fc from '../helpers/fast-check.ts';
import { TestRelay } from '../helpers/relay.ts';
import { type Sent, WatchedAgent } from '../helpers/watched-agent.ts';

const NAMES = ['ann', 'bob', 'carl'];

const name = fc.constantFrom(...NAMES);
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('send' as const),
      from: name,
      to: fc.constantFrom(...NAMES, '*', 'dora'),
      ttl: fc.option(fc.integer({ min: 1, max: 5_000 })),
      topic: fc.option(fc.constantFrom('chat', 'work')),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('ack' as const),
      who: name,
      count: fc.integer({ min: 1, max: 4 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('refuse' as const), who: name }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('defer' as const), who: name }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('cut' as const), who: name }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('join' as const), who: name, resume: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('resend' as const), who: name }) },
  // An ACK of what another was given.
  { weight: 1, arbitrary: fc.record({ do: fc.constant('steal' as const), who: name, of: name }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 4_000 }) }),
  },
);

const MAX_INFLIGHT = 3;

describe('P11, P15, P16: any order of sends, answers, cuts and time', () => {
  it('keeps order in a stream, delivers once a session, and every message ends with its sender told', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const relay = new TestRelay();
        const agents = new Map(NAMES.map((each) => [each, new WatchedAgent(each, MAX_INFLIGHT)]));
        const agent = (each: string) => agents.get(each) as WatchedAgent;
        const join = async (who: string, resume: boolean) => {
          const me = agent(who);
          if (me.connected) return;
          const session = resume && me.token ? { session: { resume_token: me.token } } : {};
          me.fresher(await relay.join(who, { capabilities: { max_inflight: MAX_INFLIGHT }, ...session }));
        };
        const look = async () => {
          await settle();
          for (const each of agents.values()) each.look();
          for (const each of agents.values()) expect(each.wrong).toEqual([]);
        };
        const say = (me: WatchedAgent, id: string) => {
          const { to, topic, body, ttl } = me.sent.get(id) as Sent;
          me.client?.send(to, body, {
            id,
            ...(ttl ? { ttl } : {}),
            ...(topic && to !== '*' ? { topic } : {}),
          });
        };
        for (const who of NAMES) await join(who, false);
        await look();

        for (const [n, each] of steps.entries()) {
          switch (each.do) {
            case 'send': {
              const me = agent(each.from);
              if (!me.connected) break;
              const id = `id-${n}`;
              me.sent.set(id, { ...each, body: `m${n}`, session: me.session });
              say(me, id);
              await look();
              if (each.to !== '*') break;
              const others = NAMES.filter((other) => other !== me.name && agent(other).connected);
              expect(me.named.get(id)).toEqual(expect.arrayContaining(others));
              break;
            }
            case 'ack':
              for (let i = 0; i < each.count; i++) agent(each.who).answer();
              break;
            case 'refuse':
              agent(each.who).answer('REJECTED');
              break;
            case 'defer':
              agent(each.who).answer('DEFERRED');
              break;
            case 'cut':
              agent(each.who).client?.cut();
              break;
            case 'steal': {
              const [given] = agent(each.of).unanswered;
              if (given !== undefined && each.of !== each.who)
                agent(each.who).client?.say('ACK', { ack_id: given.id });
              break;
            }
            case 'join':
              await join(each.who, each.resume);
              break;
            case 'resend': {
              const me = agent(each.who);
              const [id] = me.sent.keys();
              if (id !== undefined && me.connected) say(me, id);
              break;
            }
            case 'pass':
              await relay.pass(each.ms);
              break;
          }
          await look();
        }

        // Everybody comes back and answers all; whatever then is left belongs to nobody, or to dora.
        for (let round = 0; round < 40; round++) {
          for (const who of NAMES) await join(who, true);
          await look();
          for (const me of agents.values()) while (me.unanswered.length > 0) me.answer();
          await look();
        }
        // Of what it sent in the session that it still has, a sender hears without asking.
        const owed = [...agents.values()].flatMap((me) =>
          [...me.sent].filter(([, { session }]) => session === me.session).map(([id]) => ({ me, id })),
        );
        // What was given back goes to the next session.
        for (const who of NAMES) agent(who).client?.say('BYE', {});
        await look();
        for (const who of NAMES) await join(who, false);
        await look();
        for (let round = 0; round < 40; round++) {
          for (const me of agents.values()) while (me.unanswered.length > 0) me.answer();
          await look();
        }
        await relay.pass(11 * 60_000);
        await look();

        for (const { me, id } of owed)
          expect(me.knowsEnd(id), `${me.name} was told of ${id}: ${me.fates.get(id)}`).toBe(true);
        for (const me of agents.values()) {
          expect(me.connected).toBe(true);
          for (const [id, { body, to }] of me.sent) {
            // A sender that was away, or lost its session, is told when it asks again.
            if (!me.knowsEnd(id)) {
              say(me, id);
              await look();
              for (const each of agents.values()) while (each.unanswered.length > 0) each.answer();
              await look();
            }
            if (to !== 'dora') expect(me.knowsEnd(id), `the fate of ${id} to ${to}`).toBe(true);
            for (const fate of me.fates.get(id) ?? []) {
              const [who = '', what] = fate.split(':');
              if (what === 'delivered')
                expect(agent(who).taken, `${body}, as ${me.name} was told`).toContain(body);
            }
          }
        }
        await relay.pass(11 * 60_000);
        const status = await relay.call<{ metrics: { waiting: number } }>('relay-status');
        expect(status.metrics.waiting).toBe(0);
      }),
      { numRuns: 40 },
    );
  });
});

describe('P11 order', () => {
  it('holds within each stream, whatever max_inflight and however often the recipient comes back', async () => {
    const plan = fc.record({
      sends: fc.array(fc.record({ from: fc.constantFrom('ann', 'carl'), topic: fc.constantFrom('x', 'y') }), {
        minLength: 1,
        maxLength: 40,
      }),
      inflight: fc.integer({ min: 1, max: 8 }),
      cutAfter: fc.array(fc.integer({ min: 0, max: 6 }), { maxLength: 6 }),
    });
    await fc.assert(
      fc.asyncProperty(plan, async ({ sends, inflight, cutAfter }) => {
        const relay = new TestRelay();
        const senders = { ann: await relay.join('ann'), carl: await relay.join('carl') };
        for (const [n, { from, topic }] of sends.entries()) {
          senders[from as 'ann' | 'carl'].send('bob', `${n}`, { topic });
          if (n % 3 === 0) await settle();
        }
        await settle();
        const taken: { stream: string; seq: number; body: string }[] = [];
        const seen = new Set<string>();
        let token: string | undefined;
        for (const stop of [...cutAfter, Number.POSITIVE_INFINITY]) {
          const bob = await relay.join('bob', {
            capabilities: { max_inflight: inflight },
            ...(token ? { session: { resume_token: token } } : {}),
          });
          token = bob.last('WELCOME').payload.resume_token as string;
          for (let n = 0, read = 0; n < stop; n++, read++) {
            const next = bob.all('DELIVER')[read];
            if (next === undefined) break;
            if (!seen.has(next.id)) {
              seen.add(next.id);
              taken.push({
                stream: `${next.from} ${next.topic}`,
                seq: next.delivery.seq,
                body: String(next.payload.body),
              });
            }
            bob.say('ACK', { ack_id: next.id });
            await settle();
          }
          if (stop !== Number.POSITIVE_INFINITY) bob.cut();
          await settle();
        }
        expect(taken).toHaveLength(sends.length);
        for (const stream of new Set(taken.map((each) => each.stream))) {
          const own = taken.filter((each) => each.stream === stream);
          expect(own.map(({ seq }) => seq)).toEqual(own.map(({ seq }) => seq).sort((a, b) => a - b));
          expect(own.map(({ body }) => Number(body))).toEqual(
            own.map(({ body }) => Number(body)).sort((a, b) => a - b),
          );
        }
      }),
      { numRuns: 60 },
    );
  });
});
