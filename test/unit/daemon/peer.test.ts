import { describe, expect, it } from 'vitest';
import { MemoryStore } from '../../../src/daemon/store/memory-store.ts';
import { newEnvelope } from '../../../src/protocol/envelope.ts';
import { settle } from '../../helpers/fake-clock.ts';
import { TestRelay } from '../../helpers/relay.ts';

describe('P5 bad input', () => {
  const header = (length: number) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(length);
    return bytes;
  };
  const framed = (text: string) => Buffer.concat([header(Buffer.byteLength(text)), Buffer.from(text)]);

  it.each([
    ['a length over the limit', header(0x00ffffff), 'FRAME_TOO_LARGE'],
    ['what is not JSON', framed('{'), 'BAD_FRAME'],
    ['what is not an object', framed('[1]'), 'BAD_FRAME'],
    ['what is not UTF-8', Buffer.concat([header(3), Buffer.from([0x22, 0xff, 0x22])]), 'BAD_FRAME'],
    ['another version', framed('{"v":2,"type":"HELLO","id":"x","ts":1,"payload":{}}'), 'UNSUPPORTED_VERSION'],
  ])('%s: ERROR, then the end, and others go on', async (_, bytes, code) => {
    const relay = new TestRelay();
    const other = await relay.join('ann');
    const client = await relay.join('bob');
    client.raw(bytes);
    await settle();
    expect(client.last('ERROR').payload).toMatchObject({ code, fatal: true });
    expect(client.closed).toBe(true);
    expect(other.closed).toBe(false);
  });

  it.each([
    ['an unknown type', { v: 1, type: 'SHOUT', id: 'i-1', ts: 1, payload: {} }],
    ['a payload against its schema', { v: 1, type: 'ACK', id: 'i-1', ts: 1, payload: { ack_id: 7 } }],
    [
      'a frame that only the daemon sends',
      { v: 1, type: 'BUSY', id: 'i-1', ts: 1, payload: { retry_after_ms: 1, queue_depth: 1 } },
    ],
    ['an ACK of nothing', { v: 1, type: 'ACK', id: 'i-1', ts: 1, payload: {} }],
    ['a second HELLO', { v: 1, type: 'HELLO', id: 'i-1', ts: 1, payload: { agent: 'bob' } }],
  ])('%s: ERROR BAD_REQUEST with ref_id, and the connection stays', async (_, envelope) => {
    const relay = new TestRelay();
    const client = await relay.join('bob');
    client.json(envelope);
    client.say('PING', { nonce: 'still here' });
    await settle();
    expect(client.last('ERROR').payload).toMatchObject({ code: 'BAD_REQUEST', ref_id: 'i-1', fatal: false });
    expect(client.last('PONG').payload.nonce).toBe('still here');
  });

  it('frames before HELLO are refused, and HELLO is still welcome (peer)', async () => {
    const relay = new TestRelay();
    const client = await relay.connect();
    client.send('bob', 'too early');
    client.say('HELLO', { agent: 'ann' });
    await settle();
    expect(client.received.map(({ type }) => type)).toEqual(['ERROR', 'WELCOME']);
  });

  it('no HELLO in 5 s: HANDSHAKE_TIMEOUT', async () => {
    const relay = new TestRelay();
    const client = await relay.connect();
    await relay.pass(5_250);
    expect(client.last('ERROR').payload.code).toBe('HANDSHAKE_TIMEOUT');
    expect(client.closed).toBe(true);
  });

  it('survives keys that poison prototypes', async () => {
    const relay = new TestRelay();
    const [ann, bob] = [await relay.join('ann'), await relay.join('bob')];
    ann.raw(
      framed(
        '{"v":1,"type":"SEND","id":"x","ts":1,"to":"bob","__proto__":{"topic":"evil"},"payload":{"body":"b","__proto__":{"x":1}}}',
      ),
    );
    await settle();
    expect(bob.last('DELIVER').topic).toBeUndefined();
    expect(({} as { x?: number }).x).toBeUndefined();
  });

  it('refuses JSON nested so deep that who polls it could not be answered', async () => {
    const relay = new TestRelay();
    const ann = await relay.join('ann');
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    ann.raw(
      framed(`{"v":1,"type":"SEND","id":"deep","ts":1,"to":"user","payload":{"body":"1","data":${deep}}}`),
    );
    ann.raw(framed(`{"v":1,"type":"PING","id":"ping","ts":1,"payload":{"data":${deep}}}`));
    ann.send('user', 'next');
    await settle();
    expect(ann.all('ERROR').map(({ payload }) => [payload.code, payload.fatal, payload.ref_id])).toEqual([
      ['BAD_REQUEST', false, 'deep'],
      ['BAD_REQUEST', false, 'ping'],
    ]);
    const answer = await relay.call<{ messages: { body: string }[] }>('relay-poll', {});
    expect(answer.messages.map(({ body }) => body)).toEqual(['next']);
  });
});

describe('§7 heartbeat (P2)', () => {
  it('PINGs a quiet peer, and ends one that is silent for two heartbeats', async () => {
    const relay = new TestRelay();
    const client = await relay.join('bob');
    const silent = await relay.connect();
    silent.json({ v: 1, type: 'HELLO', id: 'h', ts: 1, payload: { agent: 'mute' } });
    await settle();
    silent.say = () => ''; // answers no PING
    await relay.pass(16_000);
    expect(client.all('PING').length).toBeGreaterThan(1);
    expect(client.closed).toBe(false);
    expect(silent.all('PING')).toHaveLength(1);
    expect(silent.closed).toBe(true);
  });

  it('answers a PING by its whole payload, unless that would not fit into a frame', async () => {
    const relay = new TestRelay();
    const client = await relay.join('bob');
    const pad = 1024 * 1024 - JSON.stringify(newEnvelope('PONG', { x: '' }, relay.clock.now())).length;
    client.json({ v: 1, type: 'PING', id: 'i', ts: 1, payload: { x: 'x'.repeat(pad) } });
    client.json({ v: 1, type: 'PING', id: 'i', ts: 1, payload: { x: 'x'.repeat(pad + 1) } });
    await settle();
    expect(client.last('PONG').payload).toEqual({ x: 'x'.repeat(pad) });
    expect(client.last('ERROR').payload).toMatchObject({ code: 'MESSAGE_TOO_LARGE', ref_id: 'i' });
  });

  it('a daemon that slept itself measures anew', async () => {
    const relay = new TestRelay();
    const silent = await relay.join('mute');
    silent.say = () => '';
    await relay.pass(5_250);
    expect(silent.all('PING')).toHaveLength(1);
    const now = relay.clock.monotonic.bind(relay.clock);
    relay.clock.monotonic = () => now() + 60_000; // the process was stopped for a minute
    await relay.pass(500);
    expect(silent.closed).toBe(false);
  });
});

describe('P20 recovery', () => {
  /** Whose store is read when `finish` is called. */
  function recovering(): { relay: TestRelay; finish: () => void } {
    let finish: () => void = () => {};
    const read = new Promise<void>((resolve) => {
      finish = resolve;
    });
    class SlowStore extends MemoryStore {
      // biome-ignore lint/correctness/useYield: it holds no record
      override async *recover(): AsyncIterable<Buffer> {
        await read;
      }
    }
    const relay = new TestRelay({ store: new SlowStore({ check: () => {} }) });
    Object.defineProperty(relay.daemon, 'ready', { value: Promise.resolve(), configurable: true });
    return { relay, finish };
  }

  it('that takes long is no fault of who has said HELLO, or has it still to be read', async () => {
    const { relay, finish } = recovering();
    const client = await relay.join('bob');
    const hasty = await relay.connect();
    hasty.send('bob', 'too early');
    await settle();
    hasty.say('HELLO', { agent: 'ann' });
    await relay.pass(30_000);
    finish();
    await relay.pass(1_000);
    for (const each of [client, hasty]) expect(each.received.at(-1)?.type).toBe('WELCOME');
    expect(hasty.last('ERROR').payload.code).toBe('BAD_REQUEST');
  });

  it('says BUSY at once and every 500 ms until the state is read, then WELCOME', async () => {
    const { relay, finish } = recovering();
    const client = await relay.join('bob');
    await relay.pass(1_000);
    expect(client.received.map(({ type }) => type)).toEqual(['BUSY', 'BUSY', 'BUSY']);
    finish();
    await settle();
    expect(client.received.at(-1)?.type).toBe('WELCOME');
  });
});
