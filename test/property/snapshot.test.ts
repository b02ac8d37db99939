import { describe, expect, it } from 'vitest';
import { RelayError } from '../../src/base/errors.ts';
import { decodeRecord } from '../../src/daemon/record.ts';
import { snapshot } from '../../src/daemon/snapshot.ts';
import { RelayState } from '../../src/daemon/state.ts';
import { MemoryStore } from '../../src/daemon/store/memory-store.ts';
import type { Store } from '../../src/daemon/store/store.ts';
import { settle } from '../helpers/fake-clock.ts';
import fc from '../helpers/fast-check.ts';
import { type TestClient, TestRelay } from '../helpers/relay.ts';

const NAMES = ['ann', 'bob', 'carl'];

/** Keeps every record, and takes a snapshot as slowly as appends come: the worst that may happen to it. */
class RecordingStore implements Store {
  readonly durable = true;
  readonly format = 1;
  readonly #memory = new MemoryStore({ check: () => {} });
  readonly log: Buffer[] = [];
  readonly snapshot: Buffer[] = [];
  full = false;
  /** What stands in the log behind the snapshot. */
  cut = 0;
  #done = 0;
  #wanted = false;
  #source: Iterator<Buffer> | undefined;

  get figures() {
    return { segments: 1, bytes: this.#wanted ? 1e9 : 0, oldest: Number.MAX_SAFE_INTEGER };
  }

  async *recover(): AsyncIterable<Buffer> {}

  append(record: Buffer, done: (error?: RelayError) => void): void {
    if (this.full) {
      queueMicrotask(() => done(new RelayError('STORE_FULL', 'no room')));
      return;
    }
    this.log.push(record);
    this.#pull(2);
    this.#memory.append(record, (error) => {
      this.#done++;
      done(error);
    });
  }

  /** The daemon's next look begins a compaction. */
  want(): void {
    this.#wanted = true;
  }

  async compact(take: () => Iterable<Buffer>): Promise<void> {
    this.#wanted = false;
    if (this.#source !== undefined) return;
    this.cut = this.#done;
    this.#source = take()[Symbol.iterator]();
  }

  finish(): void {
    this.#pull(Number.POSITIVE_INFINITY);
  }

  close(): Promise<void> {
    return this.#memory.close();
  }

  #pull(count: number): void {
    for (let left = count; left > 0; left--) {
      const next = this.#source?.next();
      if (next === undefined || next.done) return;
      this.snapshot.push(next.value);
    }
  }
}

const fold = (records: readonly Buffer[], state = new RelayState()): RelayState => {
  for (const record of records) state.recover(decodeRecord(record));
  return state;
};

/** What a state holds, whatever the order in which it came to be; claims that have lapsed hold nothing. */
function essence(state: RelayState, now: number): string[] {
  const found: string[] = [];
  for (const bytes of snapshot(state)) {
    const record = decodeRecord(bytes);
    if (record.t === 'claim') {
      if (record.until > now) for (const seq of record.seqs) found.push(`claim ${seq} ${record.until}`);
    } else if (record.t === 'session') {
      found.push(JSON.stringify({ ...record.session, lastActivity: 0 }));
    } else {
      found.push(JSON.stringify(record));
    }
  }
  return found.sort();
}

const name = fc.constantFrom(...NAMES);
const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('send' as const),
      who: name,
      to: fc.constantFrom(...NAMES, '*', 'user', 'dora'),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constantFrom('ack' as const, 'refuse' as const, 'defer' as const),
      who: name,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom('cut' as const, 'join' as const, 'resume' as const, 'bye' as const),
      who: name,
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('poll' as const, 'listen' as const), who: name }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom('hold' as const, 'release' as const, 'drop' as const, 'redeliver' as const),
      who: name,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('full' as const, 'room' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 20_000 }) }),
  },
);

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

interface Agent {
  client: TestClient;
  answered: Set<string>;
  token?: string | undefined;
}

async function play(
  steps: readonly Step[],
  compactAt: number,
): Promise<{ store: RecordingStore; now: number }> {
  const store = new RecordingStore();
  const relay = new TestRelay({ store, settings: { claimMs: 6_000, unknownNameTtlMs: 9_000 } });
  const agents = new Map<string, Agent>();
  const join = async (who: string, token?: string) => {
    const before = agents.get(who);
    if (before !== undefined && !before.client.closed) return;
    const session = token === undefined ? {} : { session: { resume_token: token } };
    const client = await relay.join(who, { capabilities: { max_inflight: 2 }, ...session });
    agents.set(who, { client, answered: new Set(), token });
  };
  const tokenOf = (who: string) =>
    agents.get(who)?.client.all('WELCOME').at(-1)?.payload.resume_token ?? agents.get(who)?.token;
  const answer = (who: string, code?: string) => {
    const agent = agents.get(who);
    const next = agent?.client.all('DELIVER').find(({ id }) => !agent.answered.has(id));
    if (agent === undefined || next === undefined) return;
    agent.answered.add(next.id);
    if (code === undefined) agent.client.say('ACK', { ack_id: next.id });
    else agent.client.say('NACK', { ack_id: next.id, code, message: 'no' });
  };
  for (const who of NAMES) await join(who);
  for (const [n, each] of steps.entries()) {
    if (n === compactAt) {
      store.want();
      await relay.pass(300);
    }
    switch (each.do) {
      case 'send':
        agents.get(each.who)?.client.send(each.to, `m${n}`);
        break;
      case 'ack':
        answer(each.who);
        break;
      case 'refuse':
        answer(each.who, 'REJECTED');
        break;
      case 'defer':
        answer(each.who, 'DEFERRED');
        break;
      case 'cut':
        agents.get(each.who)?.client.cut();
        break;
      case 'bye':
        agents.get(each.who)?.client.say('BYE', {});
        break;
      case 'join':
        await join(each.who);
        break;
      case 'resume':
        await join(each.who, tokenOf(each.who));
        break;
      case 'poll':
        void relay.try('relay-poll', { limit: 2 }, n % 2 ? undefined : tokenOf(each.who));
        break;
      case 'listen':
        agents.get(each.who)?.client.say('SUBSCRIBE', { topic: `t${n % 3}` });
        break;
      case 'hold':
      case 'release':
        void relay.try(`relay-${each.do}`, { agent: each.who });
        break;
      case 'drop':
      case 'redeliver':
        void relay.try(`relay-${each.do}`, { id: 'all' });
        break;
      case 'full':
      case 'room':
        store.full = each.do === 'full';
        break;
      case 'pass':
        await relay.pass(each.ms);
    }
    // Not always: what is appended and not yet done is what makes it hard.
    if (n % 3 === 0) await settle();
  }
  store.full = false;
  await relay.pass(300);
  store.finish();
  const now = relay.clock.now();
  await relay.daemon.close();
  return { store, now };
}

describe('§10 the state is a fold over its records', () => {
  it('a snapshot taken while everything goes on, and the log behind it, give the same state as the log', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), fc.nat(60), async (steps, compactAt) => {
        const { store, now } = await play(steps, compactAt);
        if (steps.length > compactAt) expect(store.snapshot).not.toEqual([]);
        const whole = essence(fold(store.log), now);
        const after = essence(fold([...store.snapshot, ...store.log.slice(store.cut)]), now);
        expect(after).toEqual(whole);
      }),
      { numRuns: 60 },
    );
  });

  it('records that the state has already change nothing', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), fc.nat(), fc.nat(), async (steps, a, b) => {
        const { store, now } = await play(steps, -1);
        const [from, to] = [a % (store.log.length + 1), b % (store.log.length + 1)].sort((x, y) => x - y);
        const state = fold(store.log.slice(0, to));
        expect(essence(fold(store.log.slice(from), state), now)).toEqual(essence(fold(store.log), now));
      }),
      { numRuns: 40 },
    );
  });
});
