import { describe, expect, it } from 'vitest';
import { Deadlines } from '../../../src/daemon/deadlines.ts';
import type { Delivery } from '../../../src/daemon/message.ts';
import { decodeRecord, encodeRecord, type RelayRecord } from '../../../src/daemon/record.ts';
import { snapshot } from '../../../src/daemon/snapshot.ts';
import { RelayState } from '../../../src/daemon/state.ts';
import { utf8 } from '../../../src/protocol/utf8.ts';
import { settle } from '../../helpers/fake-clock.ts';
import { RecordingStore } from '../../helpers/recording-store.ts';
import { TestRelay } from '../../helpers/relay.ts';

describe('§Records', () => {
  it('come back as they were, payload text included', () => {
    const raw = { payload: utf8('{ "body": "\\n{\\u0000}\n ü😀" }'), payload_meta: utf8('{"ttl_ms":1}') };
    const record: RelayRecord = {
      t: 'message',
      key: '\0s\0b"ü',
      id: 'b"ü',
      from: 'a',
      session: 's',
      at: 1,
      acks: true,
      recipients: [{ name: 'c', seq: 1, until: 2 }],
      raw,
    };
    expect(decodeRecord(encodeRecord(record))).toEqual(record);
    expect(() => decodeRecord(Buffer.from('{"t":'))).toThrow(
      expect.objectContaining({ code: 'STORE_CORRUPT' }),
    );
  });
});

describe('records of format 1', () => {
  it('are read as those of today', () => {
    const [payload, meta] = ['{"body":"ü😀"}', '{"ttl_ms":1}'];
    const head = { t: 'message', key: 'a\0k', id: 'b', from: 'a', session: 's', at: 1, acks: true };
    const recipients = [{ name: 'c', seq: 1, until: 2 }];
    const line = JSON.stringify({ ...head, recipients, length: payload.length });
    expect(decodeRecord(Buffer.from(`${line}\n${payload}${meta}`))).toEqual({
      ...head,
      recipients,
      raw: { payload: utf8(payload), payload_meta: utf8(meta) },
    });
    expect(decodeRecord(Buffer.from('{"t":"ended","seq":7,"how":"delivered","at":1}'))).toMatchObject({
      seqs: [7],
      how: 'delivered',
    });
  });
});

describe('P20 the next reign', () => {
  it('knows sessions, tokens, what waits, what ended, topics and claims', async () => {
    const records: Buffer[] = [];
    const one = new TestRelay({ store: new RecordingStore(records) });
    const [ann, bob] = [await one.join('ann'), await one.join('bob')];
    bob.say('SUBSCRIBE', { topic: 'chat' });
    const ended = ann.send('bob', 'ended', { id: '7f1d1f5c-32a8-4b0f-9d0c-00000000000a' });
    await settle();
    bob.say('ACK', { ack_id: bob.last('DELIVER').id });
    await settle();
    ann.send('bob', 'waits');
    ann.send('user', 'polled');
    await settle();
    const waits = bob.last('DELIVER');
    const page = await one.call<{ messages: { id: string }[] }>('relay-poll');
    const handoff = await one.handoff('carl');

    const two = new TestRelay({ store: new RecordingStore(records), epoch: 2 });
    const token = (client: typeof bob) => ({
      session: { resume_token: client.last('WELCOME').payload.resume_token as string },
    });
    const again = await two.join('bob', token(bob));
    expect(again.last('WELCOME').payload.session_id).toBe(bob.last('WELCOME').payload.session_id);
    expect(again.bodies()).toEqual(['waits']);
    expect(again.last('DELIVER')).toMatchObject({
      id: waits.id,
      delivery: { seq: waits.delivery.seq, redelivered: true },
    });
    const sender = await two.join('ann', token(ann));
    sender.send('bob', 'ended', { id: ended });
    sender.send(undefined, 'to the topic', { topic: 'chat' });
    await settle();
    expect(sender.fates(ended)).toEqual(['stored', 'delivered']);
    expect(again.bodies()).toEqual(['waits', 'to the topic']);
    expect(Math.floor(again.last('DELIVER').delivery.seq / 2 ** 32)).toBe(2);
    expect(await two.call('relay-poll')).toMatchObject({
      messages: [{ id: page.messages[0]?.id, redelivered: true }],
    });
    const carl = await two.join('carl', { session: { resume_token: handoff.token } });
    expect(carl.all('WELCOME')).toHaveLength(1);
  });
});

describe('§10 a snapshot', () => {
  it('does not bring back the one dead letter of a message that was dropped while another stays', () => {
    const recipients = [
      { name: 'ann', seq: 1, until: 9 },
      { name: 'bob', seq: 2, until: 9 },
    ];
    const head = {
      t: 'message',
      key: 'eve\0k',
      id: 'k',
      from: 'eve',
      session: 's',
      at: 1,
      acks: true,
    } as const;
    const records: RelayRecord[] = [
      { ...head, to: '*', recipients, raw: { payload: utf8('{"body":"x"}') } },
      { t: 'ended', seqs: [1], how: 'dead', at: 2, code: 'REJECTED', text: 'no' },
      { t: 'ended', seqs: [2], how: 'dead', at: 2, code: 'REJECTED', text: 'no' },
      { t: 'dropped', seq: 1 },
    ];
    const before = new RelayState();
    for (const record of records) before.recover(record);
    const after = new RelayState();
    for (const bytes of snapshot(before)) after.recover(decodeRecord(bytes));
    expect([...after.messages.deadLetters()].map(({ seq }) => seq)).toEqual([2]);
  });
});

describe('Deadlines', () => {
  it('hold the time of a delivery once, however often it was put back', () => {
    const state = new RelayState();
    state.recover({
      t: 'message',
      key: 'eve\0k',
      id: 'k',
      from: 'eve',
      session: 's',
      at: 1,
      acks: true,
      recipients: [{ name: 'ann', seq: 1, until: 9 }],
      raw: { payload: utf8('{"body":"x"}') },
    });
    const delivery = state.messages.bySeq(1) as Delivery;
    for (let n = 0; n < 5; n++) {
      expect([...state.due(1)]).toEqual([]);
      state.mailbox('ann').take();
      state.putBack(delivery);
    }
    expect([...state.due(9)]).toEqual([{ kind: 'delivery', delivery }]);
    expect(state.deadlines.size).toBe(0);
    state.putBack(delivery);
    expect([...state.due(9)]).toHaveLength(1);
  });

  it('give what is due, the earliest first', () => {
    const deadlines = new Deadlines<number>();
    for (const due of [5, 1, 4, 1, 3, 9, 2]) deadlines.add(due, due);
    expect([...deadlines.due(4)]).toEqual([1, 1, 2, 3, 4]);
    deadlines.prune((value) => value > 5);
    expect([...deadlines.due(100)]).toEqual([9]);
  });
});
