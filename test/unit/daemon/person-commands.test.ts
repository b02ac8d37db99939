import { describe, expect, it } from 'vitest';
import { settle } from '../../helpers/fake-clock.ts';
import { TestRelay } from '../../helpers/relay.ts';

interface Listed {
  messages: { id: string; body?: string; deliveries: { id: string; state: string; code?: string }[] }[];
}

const states = ({ messages }: Listed) =>
  messages.flatMap(({ deliveries }) => deliveries.map(({ state }) => state));

describe('P22 relay-log', () => {
  it('shows each message with its text and its fate, to the person only', async () => {
    const relay = new TestRelay();
    const ann = await relay.join('ann');
    const bob = await relay.join('bob');
    ann.send('bob', 'one');
    ann.send('bob', 'two', { topic: 'work' });
    await settle();
    bob.say('ACK', { ack_id: bob.all('DELIVER')[0]?.id as string });
    await settle();
    const log = await relay.call<Listed>('relay-log');
    expect(log.messages.map(({ body }) => body)).toEqual(['one', 'two']);
    expect(states(log)).toEqual(['delivered', 'inflight']);
    expect(states(await relay.call<Listed>('relay-log', { waiting: true }))).toEqual(['inflight']);
    expect((await relay.call<Listed>('relay-log', { topic: 'work' })).messages).toHaveLength(1);
    const token = ann.last('WELCOME').payload.resume_token;
    for (const command of ['relay-log', 'relay-dead-letters']) {
      expect(await relay.try(command, {}, token)).toMatchObject({
        success: false,
        error: { code: 'FORBIDDEN' },
      });
    }
    for (const [command, input] of [
      ['relay-hold', { agent: 'bob' }],
      ['relay-release', { agent: 'bob' }],
      ['relay-drop', { id: 'all' }],
      ['relay-redeliver', { id: 'all' }],
    ] as const) {
      expect(await relay.try(command, input, token)).toMatchObject({ error: { code: 'FORBIDDEN' } });
    }
  });

  it('gives page after page from the newest back, and nothing is left out while more comes', async () => {
    const relay = new TestRelay();
    const ann = await relay.join('ann');
    for (let i = 0; i < 10; i++) ann.send('bob', `m${i}`);
    await settle();
    const seen = new Set<string | undefined>();
    let skip: number | undefined = 0;
    for (let pages = 0; skip !== undefined; pages++) {
      const page: Listed & { next?: number; more: boolean } = await relay.call('relay-log', {
        limit: 3,
        skip,
      });
      expect(page.more).toBe(page.next !== undefined);
      for (const { body } of page.messages) seen.add(body);
      skip = page.next;
      ann.send('bob', 'new');
      await settle();
      expect(pages).toBeLessThan(10);
    }
    for (let i = 0; i < 10; i++) expect(seen).toContain(`m${i}`);
  });

  it('holds no more text than the daemon has time for, and one message in any case', async () => {
    const relay = new TestRelay();
    const ann = await relay.join('ann');
    for (const sign of ['a', 'b', 'c']) ann.send('bob', sign.repeat(300_000));
    await settle();
    const first = await relay.call<Listed & { next: number }>('relay-log');
    expect(first.messages.map(({ body }) => body?.[0])).toEqual(['c']);
    const second = await relay.call<Listed>('relay-log', { skip: first.next });
    expect(second.messages.map(({ body }) => body?.[0])).toEqual(['b']);
  });

  it('finds messages by their ids', async () => {
    const relay = new TestRelay();
    const ann = await relay.join('ann');
    const ids = ['one', 'two', 'three'].map((body) => ann.send('bob', body));
    await settle();
    const { messages } = await relay.call<Listed>('relay-log', { ids: [ids[2], ids[0]] });
    expect(messages.map(({ body }) => body)).toEqual(['one', 'three']);
  });
});

describe('P16 dead letters', () => {
  it('are listed with their reason, sent anew as another message, or dropped', async () => {
    const relay = new TestRelay();
    const ann = await relay.join('ann');
    const bob = await relay.join('bob');
    for (const body of ['one', 'two']) ann.send('bob', body);
    await settle();
    for (const { id } of bob.all('DELIVER')) bob.say('NACK', { ack_id: id, code: 'REJECTED', message: 'no' });
    await settle();
    const { messages } = await relay.call<Listed>('relay-dead-letters');
    expect(messages.map(({ body }) => body)).toEqual(['one', 'two']);
    expect(messages[0]?.deliveries).toMatchObject([{ state: 'dead', code: 'REJECTED' }]);
    const id = messages[0]?.deliveries[0]?.id as string;
    expect(await relay.call('relay-redeliver', { id: id.slice(0, 8) })).toEqual({ count: 1 });
    await settle();
    expect(bob.bodies()).toEqual(['one', 'two', 'one']);
    expect(bob.last('DELIVER')).toMatchObject({ from: 'ann' });
    expect(bob.last('DELIVER').id).not.toBe(id);
    expect(await relay.call('relay-drop', { id: 'all' })).toEqual({ count: 1 });
    expect(await relay.call('relay-dead-letters')).toEqual({ messages: [] });
    expect(await relay.try('relay-drop', { id })).toMatchObject({ error: { code: 'BAD_REQUEST' } });
  });
});

describe('P18 the person holds an agent', () => {
  it('nothing more reaches it, its senders know, and released it gets all in order', async () => {
    const relay = new TestRelay();
    const ann = await relay.join('ann');
    const bob = await relay.join('bob');
    await relay.call('relay-hold', { agent: 'bob' });
    const id = ann.send('bob', 'one');
    ann.send('bob', 'two');
    await settle();
    expect(bob.bodies()).toEqual([]);
    expect(ann.fates(id)).toContain('held');
    const { agents } = await relay.call<{ agents: object[] }>('relay-agents');
    expect(agents).toContainEqual(expect.objectContaining({ name: 'bob', held: true, queueDepth: 2 }));
    await relay.call('relay-release', { agent: 'bob' });
    await settle();
    expect(bob.bodies()).toEqual(['one', 'two']);
    // It does not type, so it is told nothing that the specification does not draw.
    expect(bob.all('SYNC')).toEqual([]);
    expect(bob.last('WELCOME').payload).not.toHaveProperty('held');
  });

  it('who types knows it before the person is told so, and anew with each connection', async () => {
    const relay = new TestRelay();
    const bob = await relay.join('bob', { capabilities: { injects: true } });
    bob.pause();
    let answered = false;
    const held = relay.call('relay-hold', { agent: 'bob' }).then(() => {
      answered = true;
    });
    await settle();
    expect(answered).toBe(false);
    bob.resume();
    await held;
    expect(bob.last('SYNC').payload).toMatchObject({ streams: [], held: true });
    const token = bob.last('WELCOME').payload.resume_token as string;
    expect(bob.last('WELCOME').payload.held).toBeUndefined();
    bob.cut();
    await settle();
    const again = await relay.join('bob', {
      capabilities: { injects: true },
      session: { resume_token: token },
    });
    expect(again.last('WELCOME').payload.held).toBe(true);
    await relay.call('relay-release', { agent: 'bob' });
    await settle();
    expect(again.last('SYNC').payload.held).toBe(false);
  });

  it('a client that does not read keeps the person waiting for a second only', async () => {
    const relay = new TestRelay();
    const bob = await relay.join('bob', { capabilities: { injects: true } });
    bob.pause();
    const held = relay.call('relay-hold', { agent: 'bob' });
    await settle();
    await relay.pass(1_000);
    expect(await held).toEqual({ agent: 'bob', held: true });
  });

  it('what a wrapper gave back for polls is held, too', async () => {
    const relay = new TestRelay();
    const ann = await relay.join('ann');
    const bob = await relay.join('bob', { capabilities: { injects: true } });
    ann.send('bob', 'one');
    await settle();
    bob.say('NACK', { ack_id: bob.last('DELIVER').id, code: 'DEFERRED', message: 'poll it' });
    await settle();
    await relay.call('relay-hold', { agent: 'bob' });
    const token = bob.last('WELCOME').payload.resume_token;
    const bodies = async () =>
      (await relay.call<{ messages: { body: string }[] }>('relay-poll', {}, token)).messages.map(
        ({ body }) => body,
      );
    expect(await bodies()).toEqual([]);
    await relay.call('relay-release', { agent: 'bob' });
    expect(await bodies()).toEqual(['one']);
  });
});
