import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { settle } from '../helpers/fake-clock.ts';
import { type TestClient, TestRelay } from '../helpers/relay.ts';

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
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 4_000 }) }),
  },
);

/** One agent: its connections one after the other, and all that it saw of its session. */
class Agent {
  client: TestClient | undefined;
  token: string | undefined;
  session = '';
  unanswered: string[] = [];
  /** By session: DELIVER ids that were not marked as repeats. */
  readonly fresh = new Map<string, string[]>();
  readonly sent = new Map<string, { to: string; topic: string | null; body: string; ttl: number | null }>();
  readonly fates = new Map<string, string[]>();
  #read = 0;

  /** Takes in what came since the last look. */
  look(): void {
    const fresh = this.client?.received.slice(this.#read) ?? [];
    this.#read += fresh.length;
    for (const envelope of fresh) {
      if (envelope.type === 'WELCOME') {
        this.token = envelope.payload.resume_token;
        this.session = envelope.payload.session_id;
      } else if (envelope.type === 'DELIVER') {
        this.unanswered.push(envelope.id);
        if (envelope.delivery.redelivered) continue;
        this.fresh.set(this.session, [...(this.fresh.get(this.session) ?? []), envelope.id]);
      } else if (envelope.type === 'ACK' || envelope.type === 'NACK') {
        const { ack_id: id = '', to = '' } = envelope.payload;
        const fate = envelope.type === 'NACK' ? envelope.payload.code : envelope.payload.stage;
        if (fate) this.fates.set(id, [...(this.fates.get(id) ?? []), `${to}:${fate}`]);
      }
    }
  }

  fresher(client: TestClient): void {
    this.client = client;
    this.#read = 0;
    this.unanswered = [];
  }
}

describe('P11, P15, P16: any order of sends, answers, cuts and time', () => {
  it('keeps order in a stream, delivers once a session, and every message ends with its sender told', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const relay = new TestRelay();
        const agents = new Map(NAMES.map((each) => [each, new Agent()]));
        const agent = (each: string) => agents.get(each) as Agent;
        const join = async (who: string, resume: boolean) => {
          const me = agent(who);
          if (me.client && !me.client.closed) return;
          const session = resume && me.token ? { session: { resume_token: me.token } } : {};
          me.fresher(await relay.join(who, { capabilities: { max_inflight: 3 }, ...session }));
        };
        const answer = (me: Agent, type: 'ACK' | 'NACK', code = 'REJECTED') => {
          const id = me.unanswered.shift();
          if (id !== undefined) me.client?.say(type as 'NACK', { ack_id: id, code, message: '' });
        };
        const look = async () => {
          await settle();
          for (const each of agents.values()) each.look();
        };
        for (const who of NAMES) await join(who, false);
        await look();

        for (const [n, each] of steps.entries()) {
          switch (each.do) {
            case 'send': {
              const me = agent(each.from);
              if (!me.client || me.client.closed) break;
              const body = `m${n}`;
              const id = me.client.send(each.to, body, {
                ...(each.ttl ? { ttl: each.ttl } : {}),
                ...(each.topic && each.to !== '*' ? { topic: each.topic } : {}),
              });
              me.sent.set(id, { ...each, body });
              break;
            }
            case 'ack':
              for (let i = 0; i < each.count; i++) answer(agent(each.who), 'ACK');
              break;
            case 'refuse':
              answer(agent(each.who), 'NACK');
              break;
            case 'defer':
              answer(agent(each.who), 'NACK', 'DEFERRED');
              break;
            case 'cut':
              agent(each.who).client?.cut();
              break;
            case 'join':
              await join(each.who, each.resume);
              break;
            case 'resend': {
              const me = agent(each.who);
              const first = [...me.sent].at(0);
              if (!first || !me.client || me.client.closed) break;
              const [id, { to, topic, body, ttl }] = first;
              me.client.send(to, body, {
                id,
                ...(ttl ? { ttl } : {}),
                ...(topic && to !== '*' ? { topic } : {}),
              });
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
          for (const me of agents.values()) while (me.unanswered.length > 0) answer(me, 'ACK');
          await look();
        }
        // What was given back goes to the next session.
        for (const who of NAMES) agent(who).client?.say('BYE', {});
        await look();
        for (const who of NAMES) await join(who, false);
        await look();
        for (let round = 0; round < 40; round++) {
          for (const me of agents.values()) while (me.unanswered.length > 0) answer(me, 'ACK');
          await look();
        }
        await relay.pass(11 * 60_000);
        await look();

        for (const me of agents.values()) {
          for (const ids of me.fresh.values()) expect(new Set(ids).size).toBe(ids.length);
          for (const [id, { to }] of me.sent) {
            if (me.client?.closed) continue;
            // A sender that was away is told when it asks again.
            if (to !== '*' && !me.fates.has(id)) {
              const { topic, body, ttl } = me.sent.get(id) as {
                topic: string | null;
                body: string;
                ttl: number | null;
              };
              me.client?.send(to, body, { id, ...(ttl ? { ttl } : {}), ...(topic ? { topic } : {}) });
              await look();
            }
            if (to !== '*') expect(me.fates.get(id), `the fate of ${id} to ${to}`).toBeDefined();
          }
        }
        const status = await relay.call<{ metrics: { waiting: number } }>('relay-status');
        expect(status.metrics.waiting).toBe(0);
      }),
      { numRuns: 60 },
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
