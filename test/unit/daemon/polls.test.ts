import { describe, expect, it } from 'vitest';
import { settle } from '../../helpers/fake-clock.ts';
import { RecordingStore } from '../../helpers/recording-store.ts';
import { TestRelay } from '../../helpers/relay.ts';

interface Page {
  messages: { id: string; body: string; redelivered?: boolean }[];
  hasMore: boolean;
  lastMessageId?: string;
}
const bodies = ({ messages }: Page) => messages.map(({ body }) => body);

async function withMessages(...texts: string[]) {
  const relay = new TestRelay();
  for (const body of texts) await relay.call('relay-send', { to: 'user', body });
  const poll = (input: object = {}) => relay.call<Page>('relay-poll', input);
  return { relay, poll };
}

describe('P27 polling', () => {
  it('pages without loss or repeat, and hasMore is exact', async () => {
    const { poll } = await withMessages('a', 'b', 'c', 'd');
    const first = await poll({ limit: 2 });
    expect([bodies(first), first.hasMore]).toEqual([['a', 'b'], true]);
    const second = await poll({ limit: 2, since: first.lastMessageId });
    expect([bodies(second), second.hasMore]).toEqual([['c', 'd'], false]);
    const third = await poll({ since: second.lastMessageId });
    expect([bodies(third), third.hasMore, third.lastMessageId]).toEqual([[], false, second.lastMessageId]);
  });

  it('the same since again gives the same unconfirmed messages again', async () => {
    const { poll } = await withMessages('a', 'b');
    const first = await poll({ limit: 1 });
    expect(await poll({ limit: 1 }).then(bodies)).toEqual(['a']);
    expect(await poll({ limit: 1, since: first.lastMessageId }).then(bodies)).toEqual(['b']);
    expect(await poll({ limit: 1, since: first.lastMessageId }).then(bodies)).toEqual(['b']);
  });

  it('a since whose claim has lapsed confirms no answer that was lost after it', async () => {
    const { relay, poll } = await withMessages('a', 'b');
    const { lastMessageId: since } = await poll({ limit: 1 });
    await relay.pass(60_500);
    expect(await poll({ since }).then(bodies)).toEqual(['b']); // lost on its way
    expect(await poll({ since }).then(bodies)).toEqual(['b']);
  });

  it('since confirms what was handed out, and the sender learns of it', async () => {
    const relay = new TestRelay();
    const ann = await relay.join('ann');
    const id = ann.send('user', 'x');
    await settle();
    const page = await relay.call<Page>('relay-poll');
    expect(ann.fates(id)).toEqual([]);
    await relay.call('relay-poll', { since: page.lastMessageId });
    expect(ann.fates(id)).toEqual(['delivered']);
  });

  it('takes what is asked for from among the rest, and leaves the claims of others as they are', async () => {
    const relay = new TestRelay();
    const [ann, bob] = [await relay.join('ann'), await relay.join('bob')];
    bob.send('user', 'old');
    ann.send('user', 'of ann');
    await settle();
    await relay.pass(1_000);
    const after = relay.clock.now();
    bob.say('SEND', { body: 'other thread', thread: 't2' }, { to: 'user' });
    bob.say('SEND', { body: 'the answer', thread: 't1' }, { to: 'user' });
    bob.send('user', 'in no thread');
    await settle();
    const poll = (input: object) => relay.call<Page>('relay-poll', input);
    expect(bodies(await poll({ limit: 1 }))).toEqual(['old']);
    const wanted = { from: 'bob', after, thread: 't1', limit: 1 };
    const answer = await poll(wanted);
    expect([bodies(answer), answer.hasMore]).toEqual([['the answer'], true]);
    expect(bodies(await poll({ since: answer.lastMessageId, confirmOnly: true }))).toEqual([]);
    // Confirmed again, it does no harm either.
    expect(bodies(await poll({ since: answer.lastMessageId, confirmOnly: true }))).toEqual([]);
    expect(bodies(await poll(wanted))).toEqual(['in no thread']);
    const first = await poll({ limit: 1 });
    expect(bodies(first)).toEqual(['old']);
    expect(bodies(await poll({ since: first.lastMessageId })).sort()).toEqual(['of ann', 'other thread']);
    // What was taken and not confirmed comes back.
    await relay.pass(60_500);
    expect(bodies(await poll({ from: 'bob', after }))).toEqual(['other thread', 'in no thread']);
  });

  it('waits for what is asked for, while other messages wait', async () => {
    const { relay } = await withMessages('not this');
    const bob = await relay.join('bob');
    const answer = relay.call<Page>('relay-poll', { from: 'bob', waitMs: 5_000 });
    await relay.pass(1_000);
    bob.send('user', 'this');
    await settle();
    expect(bodies(await answer)).toEqual(['this']);
    const none = relay.call<Page>('relay-poll', { from: 'ann', waitMs: 5_000 });
    await relay.pass(5_000);
    expect(bodies(await none)).toEqual([]);
  });

  it('what nobody confirms in 60 s returns with the same ids', async () => {
    const { relay, poll } = await withMessages('a');
    const first = await poll();
    await relay.pass(60_500);
    const again = await poll();
    expect(again.messages).toMatchObject([{ id: first.messages[0]?.id, redelivered: true }]);
  });

  it('a repeat with a smaller limit confirms no more than it showed, also after a takeover', async () => {
    const records = new RecordingStore();
    const relay = new TestRelay({ store: records });
    for (const body of ['a', 'b', 'c']) await relay.call('relay-send', { to: 'user', body });
    const poll = (input: object) => relay.call<Page>('relay-poll', input);
    expect(bodies(await poll({ limit: 3 }))).toEqual(['a', 'b', 'c']);
    const repeat = await poll({ limit: 1 });
    expect([bodies(repeat), repeat.hasMore]).toEqual([['a'], true]);
    const next = new TestRelay({ store: records.successor(), epoch: 2 });
    const rest = await next.call<Page>('relay-poll', { since: repeat.lastMessageId });
    expect([bodies(rest), rest.hasMore]).toEqual([['b', 'c'], false]);
  });

  it('what expired meanwhile is not more', async () => {
    const relay = new TestRelay();
    await relay.call('relay-send', { to: 'user', body: 'a' });
    await relay.call('relay-send', { to: 'user', body: 'b', ttlMs: 10 });
    await relay.pass(20);
    expect(await relay.call<Page>('relay-poll', { limit: 1 })).toMatchObject({ hasMore: false });
  });

  it('waits for a message, and no longer than it was told', async () => {
    const { relay, poll } = await withMessages();
    const waiting = poll({ waitMs: 1_000 });
    await settle();
    await relay.call('relay-send', { to: 'user', body: 'at last' });
    const page = await waiting;
    expect(bodies(page)).toEqual(['at last']);
    const empty = poll({ waitMs: 1_000, since: page.lastMessageId });
    await settle();
    await relay.pass(1_000);
    expect(await empty.then(bodies)).toEqual([]);
  });

  it('while a connection serves the name, a poll sees only what it gave back', async () => {
    const relay = new TestRelay();
    const [ann, bob] = [
      await relay.join('ann'),
      await relay.join('bob', { capabilities: { max_inflight: 1 } }),
    ];
    const { token } = { token: bob.last('WELCOME').payload.resume_token as string };
    ann.send('bob', 'one');
    ann.send('bob', 'two');
    await settle();
    expect(bodies(await relay.call<Page>('relay-poll', {}, token))).toEqual([]);
    bob.say('NACK', { ack_id: bob.last('DELIVER').id, code: 'DEFERRED', message: 'not now' });
    await settle();
    expect(bodies(await relay.call<Page>('relay-poll', {}, token))).toEqual(['one']);
    expect(bob.bodies()).toEqual(['one', 'two']);
  });
});

describe('P16 a dead letter of a command', () => {
  it('is told to its sender by a notice', async () => {
    const relay = new TestRelay();
    await relay.call('relay-send', { to: 'nobody', body: 'x', ttlMs: 1_000 });
    await relay.pass(1_500);
    const page = await relay.call<Page>('relay-poll');
    expect(bodies(page)[0]).toContain('EXPIRED');
  });
});
