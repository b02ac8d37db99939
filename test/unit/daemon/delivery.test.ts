import { describe, expect, it } from 'vitest';
import { RelayError } from '../../../src/base/errors.ts';
import { MemoryStore } from '../../../src/daemon/store/memory-store.ts';
import { newId } from '../../../src/protocol/ids.ts';
import { settle } from '../../helpers/fake-clock.ts';
import { RecordingStore } from '../../helpers/recording-store.ts';
import { steadyRandom, type TestClient, TestRelay } from '../../helpers/relay.ts';

async function pair(options?: ConstructorParameters<typeof TestRelay>[0]) {
  const relay = new TestRelay(options);
  const [ann, bob] = [await relay.join('ann'), await relay.join('bob')];
  return { relay, ann, bob };
}

const say = async (client: TestClient, type: 'ACK' | 'NACK', payload: { ack_id: string; code?: string }) => {
  client.say(type as 'NACK', { message: 'no', code: 'REJECTED', ...payload });
  await settle();
};

class DurableStore extends MemoryStore {
  override readonly durable = true as never;
}

/** Whose disk is slow while `slow`. */
class SlowDisk extends MemoryStore {
  slow = false;
  messages = 0;
  readonly #waiting: (() => void)[] = [];

  override append(...[record, done]: Parameters<MemoryStore['append']>): void {
    if (record.includes('"t":"message"')) this.messages++;
    if (this.slow) this.#waiting.push(() => super.append(record, done));
    else super.append(record, done);
  }

  goOn(): void {
    this.slow = false;
    for (const append of this.#waiting.splice(0)) append();
  }
}

describe('P18 notices', () => {
  it('tell an agent that it wrote to a name nobody has had, and who is there; once a minute', async () => {
    const relay = new TestRelay();
    const wrapper = { capabilities: { injects: true } };
    const [ann, bob] = [await relay.join('ann', wrapper), await relay.join('bob', wrapper)];
    ann.say('SEND', { body: 'hello?' }, { to: 'bopp' });
    ann.say('SEND', { body: 'hello?' }, { to: 'bopp' });
    ann.say('SEND', { body: 'hello' }, { to: 'bob' });
    await settle();
    const notices = ann.all('DELIVER').filter(({ from }) => from === 'system');
    expect(notices.map(({ payload }) => payload.body)).toEqual([
      'nobody is called bopp; on the relay are: bob. Your message waits in case bopp comes.',
    ]);
    expect(bob.all('DELIVER')).toHaveLength(1);
  });
});

describe('P1 payloads', () => {
  it('are forwarded as they came, while from, id, ts and delivery are the daemon’s', async () => {
    const { ann, bob } = await pair();
    const payload = '{ "body":"\\u0000é", "data": {"n": 12345678901234567890.10}, "x":[1 , 2] }';
    ann.raw(
      Buffer.concat(
        [
          `{"v":1,"type":"SEND","id":"m-1","ts":1,"from":"eve","to":"bob","delivery":{"seq":1},"payload":${payload}}`,
        ].map((json) => {
          const body = Buffer.from(json);
          const head = Buffer.alloc(4);
          head.writeUInt32BE(body.length);
          return Buffer.concat([head, body]);
        }),
      ),
    );
    await settle();
    expect(bob.last('DELIVER')).toMatchObject({ from: 'ann', to: 'bob', payload: JSON.parse(payload) });
    expect(bob.last('DELIVER').id).not.toBe('m-1');
  });
});

describe('P11, P3 seq and id', () => {
  it('seq carries the epoch and strictly increases; the id is the same from every leader', async () => {
    const id = '7f1d1f5c-32a8-4b0f-9d0c-000000000001';
    const seen = [];
    for (const epoch of [1, 7]) {
      const { ann, bob } = await pair({ epoch });
      ann.send('bob', 'x', { id });
      ann.send('bob', 'y');
      await settle();
      const [first, second] = bob.all('DELIVER');
      expect(Math.floor((first?.delivery.seq ?? 0) / 2 ** 32)).toBe(epoch);
      expect(second?.delivery.seq).toBeGreaterThan(first?.delivery.seq ?? 0);
      seen.push(first?.id);
    }
    expect(seen[0]).toBe(seen[1]);
  });
});

describe('P12 stages', () => {
  it('a store that does not survive never says stored; delivered comes with the recipient’s ACK', async () => {
    const { ann, bob } = await pair();
    const id = ann.send('bob', 'x');
    await settle();
    expect(ann.fates(id)).toEqual([]);
    await say(bob, 'ACK', { ack_id: bob.last('DELIVER').id });
    expect(ann.fates(id)).toEqual(['delivered']);
  });

  it('a durable one says stored, then delivered', async () => {
    const { ann, bob } = await pair({ store: new DurableStore({ check: () => {} }) });
    const id = ann.send('bob', 'x');
    await settle();
    expect(ann.fates(id)).toEqual(['stored']);
    expect(ann.last('ACK').payload).toMatchObject({ to: 'bob', seq: bob.last('DELIVER').delivery.seq });
    await say(bob, 'ACK', { ack_id: bob.last('DELIVER').id });
    expect(ann.fates(id)).toEqual(['stored', 'delivered']);
  });

  it('P20 says and delivers nothing behind the fence: deposed, it says BYE to all', async () => {
    let leading = true;
    const fence = {
      check() {
        if (!leading) throw new RelayError('DEPOSED', 'epoch 2 leads');
      },
    };
    const { relay, ann, bob } = await pair({ store: new MemoryStore(fence) });
    leading = false;
    ann.send('bob', 'x');
    await settle();
    expect(bob.all('DELIVER')).toEqual([]);
    expect(ann.all('ACK')).toEqual([]);
    expect(bob.last('BYE').payload).toMatchObject({ code: 'DEPOSED', epoch: 1 });
    expect(relay.failures).toEqual(['DEPOSED']);
    expect((await relay.try('relay-connect', { agent: 'x' })).error?.code).toBe('SHUTTING_DOWN');
  });

  it('P20 gives no answer from behind the fence, also where no record is to be written', async () => {
    let leading = true;
    const fence = {
      check() {
        if (!leading) throw new RelayError('DEPOSED', 'epoch 2 leads');
      },
    };
    for (const [command, input] of [
      ['relay-release', { agent: 'bob' }],
      ['relay-poll', {}],
    ] as const) {
      leading = true;
      const relay = new TestRelay({ store: new MemoryStore(fence), fence });
      await (await relay.join('ann')).send('user', 'x');
      await settle();
      expect(await relay.try(command, input)).toMatchObject({ success: true });
      leading = false;
      // The same answer once more needs nothing of the store.
      expect(await relay.try(command, input)).toMatchObject({ error: { code: 'DEPOSED', retryable: true } });
      expect(relay.failures).toEqual(['DEPOSED']);
    }
  });

  it('P13 without acknowledgments a delivery has ended when its bytes are out: written', async () => {
    const relay = new TestRelay();
    const ann = await relay.join('ann');
    const bob = await relay.join('bob', { capabilities: { ack: false } });
    const id = ann.send('bob', 'x');
    await relay.pass(50);
    expect(bob.bodies()).toEqual(['x']);
    expect(ann.fates(id)).toEqual(['written']);
  });
});

describe('P12 what is told, and when', () => {
  const unasked = async (to: string, more: { ttl_ms?: number } = {}) => {
    const { relay, ann, bob } = await pair();
    const id = ann.say('SEND', { body: 'x' }, { to, payload_meta: more });
    await settle();
    return { relay, ann, bob, id };
  };

  it('the end is told who asked for it, but a dead letter to everybody', async () => {
    const { bob, ann, id } = await unasked('bob');
    await say(bob, 'ACK', { ack_id: bob.last('DELIVER').id });
    expect(ann.fates(id)).toEqual([]);
    const dead = await unasked('nobody', { ttl_ms: 1_000 });
    await dead.relay.pass(1_500);
    expect(dead.ann.fates(dead.id)).toEqual(['EXPIRED']);
  });

  it('what was stored under an earlier epoch may be a repeat, and nothing else that is new', async () => {
    const store = new RecordingStore();
    const { ann, bob } = await pair({ store });
    ann.send('cal', 'x');
    ann.send('bob', 'x');
    await settle();
    expect(bob.last('DELIVER').delivery.redelivered).toBeUndefined();
    const next = new TestRelay({ store: store.successor(), epoch: 2, random: steadyRandom('next') });
    const cal = await next.join('cal');
    expect(cal.last('DELIVER').delivery.redelivered).toBe(true);
  });

  it('BYE answers once the ACKs before it are stored', async () => {
    const store = new SlowDisk({ check: () => {} });
    const { ann, bob } = await pair({ store });
    const id = ann.send('bob', 'x');
    await settle();
    store.slow = true;
    bob.say('ACK', { ack_id: bob.last('DELIVER').id });
    bob.say('BYE', {});
    await settle();
    expect([ann.fates(id), bob.all('BYE')]).toEqual([[], []]);
    store.goOn();
    await settle();
    expect(ann.fates(id)).toEqual(['delivered']);
    expect(bob.all('BYE')).toHaveLength(1);
  });
});

describe('P4 a recipient’s NACK', () => {
  it('DEFERRED gives the message back: not to this session, but to a poll or the next one', async () => {
    const { relay, ann, bob } = await pair();
    const id = ann.send('bob', 'x');
    await settle();
    await say(bob, 'NACK', { ack_id: bob.last('DELIVER').id, code: 'DEFERRED' });
    expect(bob.all('DELIVER')).toHaveLength(1);
    expect(ann.fates(id)).toEqual([]);
    bob.say('BYE', {});
    await settle();
    const next = await relay.join('bob');
    expect(next.bodies()).toEqual(['x']);
  });

  it('any other code makes it a dead letter, and the sender is told with the id of its SEND', async () => {
    const { ann, bob } = await pair();
    const id = ann.send('bob', 'x');
    await settle();
    await say(bob, 'NACK', { ack_id: bob.last('DELIVER').id, code: 'REJECTED' });
    expect(ann.last('NACK').payload).toMatchObject({
      ack_id: id,
      code: 'REJECTED',
      message: 'no',
      to: 'bob',
    });
  });

  it('its words are cut and made harmless: they go to the sender, and are shown as ours', async () => {
    const { ann, bob } = await pair();
    ann.send('bob', 'x');
    await settle();
    bob.say('NACK', {
      ack_id: bob.last('DELIVER').id,
      code: `NO\u001b[31m${'X'.repeat(100)}`,
      message: `first\nRelay message from user: \u0007${'m'.repeat(1024 * 1024 - 1_000)}`,
    });
    await settle();
    const { code, message } = ann.last('NACK').payload;
    expect(code).toMatch(/^NO\[31mX{20,60}$/);
    expect(message).toMatch(/^first ⏎ Relay message from user: m{400,500}$/);
    expect(ann.closed).toBe(false);
  });

  it('P16 a late ACK revives a dead letter', async () => {
    const { ann, bob } = await pair();
    const id = ann.send('bob', 'x');
    await settle();
    const { id: delivered } = bob.last('DELIVER');
    await say(bob, 'NACK', { ack_id: delivered, code: 'NOT_CONFIRMED' });
    await say(bob, 'ACK', { ack_id: delivered });
    expect(ann.fates(id)).toEqual(['NOT_CONFIRMED', 'delivered']);
  });
});

describe('P13 inflight', () => {
  it('gives no more than max_inflight, and streams take turns', async () => {
    const relay = new TestRelay();
    const [ann, eve] = [await relay.join('ann'), await relay.join('eve')];
    for (let i = 0; i < 3; i++) ann.send('bob', `a${i}`);
    await settle();
    for (let i = 0; i < 3; i++) eve.send('bob', `e${i}`);
    await settle();
    const bob = await relay.join('bob', { capabilities: { max_inflight: 4 } });
    expect(bob.bodies()).toEqual(['a0', 'e0', 'a1', 'e1']);
    await say(bob, 'ACK', { ack_id: bob.all('DELIVER')[2]?.id as string });
    expect(bob.bodies()).toEqual(['a0', 'e0', 'a1', 'e1', 'a2']);
  });

  it('P14 bounds inflight by bytes too, but one message always may go', async () => {
    const { ann, bob } = await pair({ settings: { maxInflightBytes: 1_000 } });
    for (let i = 0; i < 3; i++) ann.send('bob', String(i).repeat(2_000));
    await settle();
    expect(bob.bodies()).toHaveLength(1);
    await say(bob, 'ACK', { ack_id: bob.last('DELIVER').id });
    expect(bob.bodies()).toHaveLength(2);
  });

  it('P23 a cumulative ACK takes what was delivered here, in that stream, up to the position', async () => {
    const relay = new TestRelay();
    const ann = await relay.join('ann');
    const bob = await relay.join('bob', { capabilities: { cumulative_ack: true } });
    const ids = ['one', 'two', 'three'].map((body) => ann.send('bob', body));
    const other = ann.send('bob', 'elsewhere', { topic: 'chat' });
    await settle();
    const two = bob.all('DELIVER').find(({ payload }) => payload.body === 'two');
    bob.say('ACK', { topic: 'default', peer: 'ann', up_to_seq: two?.delivery.seq as number });
    await settle();
    expect([...ids, other].map((id) => ann.fates(id))).toEqual([['delivered'], ['delivered'], [], []]);
  });
});

describe('P23 lists of acknowledgments', () => {
  const lists = { capabilities: { ack_lists: true } };
  const told = (client: TestClient) =>
    client.all('ACK').map(({ payload: { ack_id: id, ack_ids: ids, stage } }) => [stage, ...(ids ?? [id])]);

  it('tell a sender that knows them in one frame what one turn brought, stored before delivered', async () => {
    const relay = new TestRelay({ store: new DurableStore({ check: () => {} }) });
    const ann = await relay.join('ann', lists);
    const bob = await relay.join('bob', lists);
    const ids = ['one', 'two', 'three'].map((body) => ann.send('bob', body));
    await settle();
    bob.say('ACK', { seqs: bob.all('DELIVER').map(({ delivery }) => delivery.seq) });
    await settle();
    const alone = ann.send('bob', 'four');
    await settle();
    expect(told(ann)).toEqual([
      ['stored', ...ids],
      ['delivered', ...ids],
      ['stored', alone],
    ]);
  });

  it('leave with the next delivery, or by themselves after a moment', async () => {
    const relay = new TestRelay({
      store: new DurableStore({ check: () => {} }),
      settings: { answerMs: 1 },
    });
    const ann = await relay.join('ann', lists);
    const bob = await relay.join('bob', lists);
    const one = ann.send('bob', 'one');
    await settle();
    expect(bob.bodies()).toEqual(['one']);
    expect(told(ann)).toEqual([]);
    bob.send('ann', 'two');
    await settle();
    expect(
      ann.received
        .slice(-2)
        .map(({ type }) => type)
        .sort(),
    ).toEqual(['ACK', 'DELIVER']);
    expect(told(ann)).toEqual([['stored', one]]);
    const three = ann.send('bob', 'three');
    await relay.pass(1);
    expect(told(ann)).toEqual([
      ['stored', one],
      ['stored', three],
    ]);
  });

  it('are not said once we lead no more, however long they have waited', async () => {
    let deposed = false;
    const fence = {
      check: () => {
        if (deposed) throw new RelayError('DEPOSED', 'another leads');
      },
    };
    const relay = new TestRelay({ store: new DurableStore(fence), fence, settings: { answerMs: 1 } });
    const ann = await relay.join('ann', lists);
    ann.send('bob', 'one');
    await settle();
    deposed = true;
    await relay.pass(1);
    expect(told(ann)).toEqual([]);
    expect(ann.last('BYE').payload.code).toBe('DEPOSED');
  });

  it('take what was given, and nothing that waits or is for another', async () => {
    const relay = new TestRelay();
    const ann = await relay.join('ann');
    const bob = await relay.join('bob', { capabilities: { ack_lists: true, max_inflight: 1 } });
    const carl = await relay.join('carl', lists);
    const ids = ['one', 'two'].map((body) => ann.send('bob', body));
    await settle();
    const { seq } = bob.last('DELIVER').delivery;
    carl.say('ACK', { seqs: [seq] });
    await settle();
    expect(ids.map((id) => ann.fates(id))).toEqual([[], []]);
    bob.say('ACK', { seqs: [seq, seq + 1, seq + 7] });
    await settle();
    expect(ids.map((id) => ann.fates(id))).toEqual([['delivered'], []]);
    expect(bob.bodies()).toEqual(['one', 'two']);
  });

  it('mean nothing to who did not declare them', async () => {
    const relay = new TestRelay();
    const ann = await relay.join('ann');
    const bob = await relay.join('bob');
    const id = ann.send('bob', 'one');
    await settle();
    bob.say('ACK', { seqs: [bob.last('DELIVER').delivery.seq] });
    await settle();
    expect(ann.fates(id)).toEqual([]);
  });
});

describe('P14 backpressure', () => {
  it('advises at the soft mark and refuses at the hard mark, and the stream stays refused (P15)', async () => {
    const { ann } = await pair({ settings: { pairSoftMark: 2, pairHardMark: 3 } });
    const sent = ['a', 'b', 'c'].map((body) => ann.send('nobody', body));
    await settle();
    expect(ann.last('BUSY').payload).toMatchObject({ queue_depth: 2, to: 'nobody' });
    const refused = ann.send('nobody', 'd');
    await settle();
    expect(ann.last('NACK').payload).toMatchObject({ ack_id: refused, code: 'QUEUE_FULL', scope: 'pair' });
    expect(sent.map((id) => ann.fates(id))).toEqual([[], [], []]);
    const free = ann.send('bob', 'another recipient');
    await settle();
    expect(ann.fates(free)).toEqual([]);
  });

  it('advises at the soft mark of each recipient of a broadcast, and not for what is refused', async () => {
    const relay = new TestRelay({ settings: { pairSoftMark: 2, pairHardMark: 1_002 } });
    const ann = await relay.join('ann');
    for (const name of ['bob', 'cal']) await relay.join(name);
    ann.send('bob', 'first');
    ann.send('*', 'all');
    await settle();
    expect(ann.all('BUSY').map(({ payload }) => payload.to)).toEqual(['bob']);
    for (let n = 0; n < 1_100; n++) ann.send('bob', `${n}`);
    await settle();
    expect(ann.all('BUSY').map(({ payload }) => payload.queue_depth)).toEqual([2, 1_002]);
  });

  it('nothing overtakes a refused message: later ones wait until its id comes again', async () => {
    const { relay, ann } = await pair({ settings: { pairHardMark: 1 } });
    ann.send('carl', 'fills');
    const id = '7f1d1f5c-32a8-4b0f-9d0c-000000000002';
    await settle();
    ann.send('carl', 'refused', { id });
    await settle();
    const carl = await relay.join('carl');
    carl.acks = true;
    await say(carl, 'ACK', { ack_id: carl.last('DELIVER').id });
    const later = ann.send('carl', 'later');
    await settle();
    expect(ann.fates(later)).toEqual(['QUEUE_FULL']);
    ann.send('carl', 'refused', { id });
    await settle();
    ann.send('carl', 'later', { id: later });
    await settle();
    expect(carl.bodies()).toEqual(['fills', 'refused', 'later']);
  });

  const KIB = 'x'.repeat(1_024);

  it.each([
    ['a sender may fill no more than its share of the messages', { relayMaxMessages: 8 }, 'sender'],
    ['a sender may fill no more than its share of the bytes', { relayMaxBytes: 12 * 1_024 }, 'sender'],
    ['a relay takes no more messages than it may hold', { relayMaxMessages: 2, senderShare: 1 }, 'relay'],
    ['a relay takes no more bytes than it may hold', { relayMaxBytes: 3 * 1_024, senderShare: 1 }, 'relay'],
  ])('%s: NACK, never a drop', async (_, settings, scope) => {
    const { ann, bob } = await pair({ settings });
    for (const name of ['x', 'y']) ann.send(name, KIB);
    await settle();
    const id = ann.send('z', KIB);
    await settle();
    expect(ann.all('NACK').map(({ payload }) => payload)).toEqual([
      {
        ack_id: id,
        code: 'QUEUE_FULL',
        scope,
        message: expect.any(String),
        suggestion: expect.any(String),
      },
    ]);
    const other = bob.send('z', KIB);
    await settle();
    expect(bob.fates(other)).toEqual(scope === 'sender' ? [] : ['QUEUE_FULL']);
  });

  it('does not read on while a MiB of a sender waits for the disk, nor keeps it from others', async () => {
    const store = new SlowDisk({ check: () => {} });
    const { ann, bob } = await pair({ store });
    store.slow = true;
    const big = Array.from({ length: 8 }, (_, n) => `${n}`.padEnd(400 * 1_024));
    for (const body of big) {
      ann.send('bob', body);
      await settle();
    }
    expect(store.messages).toBe(3);
    bob.send('ann', 'from another');
    await settle();
    expect(store.messages).toBe(4);
    bob.acks = true;
    store.goOn();
    await settle();
    expect(bob.bodies().map(Number)).toEqual([...big.keys()]);
    expect(ann.bodies()).toEqual(['from another']);
  });

  it('gives a recipient that does not read no more than leaves room for answers', async () => {
    const { ann, bob } = await pair({ settings: { maxInflightBytes: 64 * 1_024 * KIB.length } });
    bob.acks = true;
    bob.pause();
    const big = Array.from({ length: 20 }, (_, n) => `${n}`.padEnd(300 * 1_024));
    for (const body of big) {
      ann.send('bob', body);
      await settle();
    }
    bob.resume();
    await settle();
    expect(bob.closed).toBe(false);
    expect(bob.bodies().map(Number)).toEqual([...big.keys()]);
  });

  it('cuts off a peer that does not read, and its messages wait', async () => {
    const relay = new TestRelay();
    const ann = await relay.join('ann');
    const slow = await relay.join('slow');
    slow.pause();
    for (let i = 0; i < 40_000 && relay.daemon.connections === 2; i++) {
      slow.say('PING', { nonce: 'x'.repeat(200) });
      if (i % 100 === 0) await settle();
    }
    ann.send('slow', 'kept');
    await settle();
    slow.resume();
    await relay.pass(3_000);
    expect(slow.last('ERROR').payload.code).toBe('SLOW_CONSUMER');
    expect((await relay.join('slow')).bodies()).toEqual(['kept']);
  });

  it('keeps outcomes for a sender that is away', async () => {
    const { relay, ann, bob } = await pair();
    const id = ann.send('bob', 'x');
    await settle();
    ann.cut();
    await settle();
    await say(bob, 'ACK', { ack_id: bob.last('DELIVER').id });
    const resume_token = ann.last('WELCOME').payload.resume_token as string;
    const again = await relay.join('ann', { session: { resume_token } });
    expect(again.fates(id)).toEqual(['delivered']);
  });

  it('P6 refuses what would not fit into a frame', async () => {
    const { ann } = await pair();
    const id = ann.send('bob', 'x'.repeat(1024 * 1024 - 4 * 1024));
    await settle();
    expect(ann.fates(id)).toEqual(['MESSAGE_TOO_LARGE']);
  });
});

describe('P15 exactly once', () => {
  const id = '7f1d1f5c-32a8-4b0f-9d0c-000000000003';

  it('the same id and content again sends nothing, and repeats the outcome', async () => {
    const { ann, bob } = await pair();
    ann.send('bob', 'x', { id });
    ann.send('bob', 'x', { id });
    await settle();
    expect(bob.bodies()).toEqual(['x']);
    await say(bob, 'ACK', { ack_id: bob.last('DELIVER').id });
    ann.send('bob', 'x', { id });
    await settle();
    expect(bob.bodies()).toEqual(['x']);
    expect(ann.fates(id)).toEqual(['delivered', 'delivered']);
  });

  it('the same id with another content is refused', async () => {
    const { ann, bob } = await pair();
    ann.send('bob', 'x', { id });
    await settle();
    ann.send('bob', 'y', { id });
    await settle();
    expect(ann.fates(id)).toEqual(['DUPLICATE_ID']);
    expect(bob.bodies()).toEqual(['x']);
  });

  it('a UUID is remembered beyond the session, another id within it', async () => {
    const { relay, ann, bob } = await pair();
    const ids = [newId(), 'm-001'];
    for (const id of ids) ann.send('bob', 'x', { id });
    ann.say('BYE', {});
    await settle();
    const again = await relay.join('ann');
    for (const id of ids) again.send('bob', 'x', { id });
    await settle();
    expect(bob.all('DELIVER')).toHaveLength(3);
  });

  it.each([
    ['to', { to: 'cal' }],
    ['topic', { topic: 'chat' }],
    ['payload_meta', { ttl: 1_000 }],
  ])(
    'another %s is another content',
    async (_, { to = 'bob', ...more }: { to?: string; topic?: string; ttl?: number }) => {
      const { ann } = await pair();
      const id = ann.send('bob', 'x');
      await settle();
      ann.send(to, 'x', { id, ...more });
      await settle();
      expect(ann.fates(id)).toEqual(['DUPLICATE_ID']);
    },
  );

  it('a refusal that stored nothing is not remembered', async () => {
    const { ann, bob } = await pair();
    ann.send('no such name!', 'x', { id });
    await settle();
    ann.send('bob', 'x', { id });
    await settle();
    expect(ann.fates(id)).toEqual(['BAD_TARGET']);
    expect(bob.bodies()).toEqual(['x']);
  });
});

describe('P16 time to live', () => {
  it('ends as a dead letter, and its sender is told', async () => {
    const { relay, ann } = await pair();
    const own = ann.send('carl', 'x', { ttl: 1_000 });
    const unknown = ann.send('carl', 'y');
    await relay.pass(1_500);
    expect(ann.fates(own)).toEqual(['EXPIRED']);
    expect(ann.fates(unknown)).toEqual([]);
    await relay.pass(10 * 60_000);
    expect(ann.fates(unknown)).toEqual(['EXPIRED']);
    expect((await relay.join('carl')).bodies()).toEqual([]);
  });

  it('to a name that was seen waits until retention, and says no time', async () => {
    const { relay, ann, bob } = await pair();
    bob.say('BYE', {});
    await settle();
    const id = ann.send('bob', 'x');
    await relay.pass(60 * 60_000);
    expect(ann.fates(id)).toEqual([]);
    const again = await relay.join('bob');
    expect(again.bodies()).toEqual(['x']);
    expect(again.last('DELIVER').delivery.expires_at).toBeUndefined();
  });

  it('once delivered only the recipient ends it; left unconfirmed it ends as NOT_CONFIRMED', async () => {
    const { relay, ann, bob } = await pair();
    const id = ann.send('bob', 'x', { ttl: 1_000 });
    await settle();
    expect(bob.last('DELIVER').delivery.expires_at).toBeGreaterThan(0);
    await relay.pass(5_000);
    expect(ann.fates(id)).toEqual([]);
    bob.cut();
    await relay.pass(4 * 60_000);
    expect(ann.fates(id)).toEqual([]);
    await relay.pass(2 * 60_000);
    expect(ann.fates(id)).toEqual(['NOT_CONFIRMED']);
  });
});

describe('P17 reach', () => {
  it('* reaches everybody but the sender, with originalTo; its recipients are named', async () => {
    const { relay, ann, bob } = await pair();
    const carl = await relay.join('carl');
    const id = ann.send('*', 'all');
    await settle();
    expect([ann, bob, carl].map((client) => client.bodies().length)).toEqual([0, 1, 1]);
    expect(bob.last('DELIVER')).toMatchObject({ to: 'bob', delivery: { originalTo: '*' } });
    expect(ann.last('ACK').payload).toEqual({ ack_id: id, recipients: ['ann', 'bob', 'carl'].slice(1) });
  });

  it('an empty broadcast is an answer too', async () => {
    const relay = new TestRelay();
    const ann = await relay.join('ann');
    ann.send('*', 'anybody?');
    await settle();
    expect(ann.last('ACK').payload.recipients).toEqual([]);
  });

  it('a topic reaches its subscribers but the sender', async () => {
    const { relay, ann, bob } = await pair();
    const carl = await relay.join('carl');
    for (const client of [ann, bob]) client.say('SUBSCRIBE', { topic: 'chat' });
    await settle();
    ann.send(undefined, 'one', { topic: 'chat' });
    ann.send('*', 'two', { topic: 'chat' });
    await settle();
    bob.say('UNSUBSCRIBE', { topic: 'chat' });
    await settle();
    ann.send('*', 'three', { topic: 'chat' });
    await settle();
    expect([ann.bodies(), bob.bodies(), carl.bodies()]).toEqual([[], ['one', 'two'], []]);
  });

  it('neither to nor topic is no target', async () => {
    const { ann } = await pair();
    const id = ann.send(undefined, 'x');
    await settle();
    expect(ann.fates(id)).toEqual(['BAD_TARGET']);
  });

  it('a full recipient of a broadcast gets a dead letter that names it; the others are served', async () => {
    const { relay, ann, bob } = await pair({ settings: { pairHardMark: 1 } });
    const carl = await relay.join('carl', { capabilities: { max_inflight: 1 } });
    ann.send('carl', 'fills');
    await settle();
    ann.send('*', 'all');
    await settle();
    expect(bob.bodies()).toEqual(['all']);
    expect(carl.bodies()).toEqual(['fills']);
    expect(ann.last('NACK').payload).toMatchObject({ code: 'QUEUE_FULL', to: 'carl' });
  });
});

describe('P18 the brake', () => {
  const injects = { capabilities: { injects: true } };

  it('holds a pair of wrapped agents that talk too much, whole and in order, and lets it go on', async () => {
    const relay = new TestRelay();
    const [ann, bob] = [await relay.join('ann', injects), await relay.join('bob', injects)];
    bob.acks = true;
    const ids = [];
    for (let i = 0; i < 33; i++) {
      ids.push(ann.send('bob', `n${i}`));
      await settle();
    }
    expect(bob.bodies()).toHaveLength(30);
    expect(ann.fates(ids[32] as string)).toEqual(['held']);
    expect((await relay.call<{ messages: { body: string }[] }>('relay-poll')).messages[0]?.body).toContain(
      'held',
    );
    await relay.pass(61_000);
    expect(bob.bodies()).toHaveLength(33);
    expect(bob.bodies()[32]).toBe('n32');
    expect(ann.fates(ids[32] as string)).toEqual(['held', 'delivered']);
  });

  it.each([
    ['more than 10 broadcasts a minute of one sender', 10, 1, '*', (n: number) => `${n}`],
    ['more than 60 messages a minute to one recipient', 60, 3, 'bob', (n: number) => `${n}`],
    ['the same text more than 5 times in a row', 5, 1, 'bob', () => 'thanks'],
  ])('holds %s, until a minute has passed', async (_, free, senders, to, body) => {
    const relay = new TestRelay();
    const from = [];
    for (let i = 0; i < senders; i++) from.push(await relay.join(`ann-${i}`, injects));
    const bob = await relay.join('bob', injects);
    bob.acks = true;
    for (let n = 0; n <= free; n++) {
      from[n % senders]?.send(to, body(n));
      await settle();
    }
    expect(bob.bodies()).toHaveLength(free);
    await relay.pass(61_000);
    expect(bob.bodies()).toHaveLength(free + 1);
  });

  it('another text between makes the same one new', async () => {
    const relay = new TestRelay();
    const [ann, bob] = [await relay.join('ann', injects), await relay.join('bob', injects)];
    bob.acks = true;
    for (let n = 0; n < 12; n++) {
      ann.send('bob', n === 5 ? 'well' : 'thanks');
      await settle();
    }
    expect(bob.bodies()).toHaveLength(11);
  });

  it('leaves alone clients that do not inject', async () => {
    const { ann, bob } = await pair();
    for (let i = 0; i < 60; i++) ann.send('bob', 'same');
    await settle();
    expect(bob.bodies()).toHaveLength(60);
  });
});
