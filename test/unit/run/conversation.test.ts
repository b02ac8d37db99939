import { describe, expect, it } from 'vitest';
import type { MessageRecord, RelayRecord } from '../../../src/daemon/record.ts';
import { utf8 } from '../../../src/protocol/utf8.ts';
import { Conversation } from '../../../src/run/conversation.ts';

const message = (more: Partial<MessageRecord> = {}): MessageRecord => ({
  t: 'message',
  key: 'k',
  id: 'm1',
  from: 'ada',
  session: 's',
  to: 'bob',
  at: 1_500,
  acks: true,
  recipients: [{ name: 'bob', seq: 1, until: 0 }],
  raw: { payload: utf8('{"kind":"review","body":"hi","data":{"n":1}}') },
  ...more,
});

function conversation(records: RelayRecord[]) {
  const news: string[] = [];
  const told = new Conversation(1_000, {
    said: (each) => news.push(`${each.from} said ${each.body}`),
    changed: (_each, { name, fate }) => news.push(`${name} ${fate}`),
    joined: () => news.push('joined'),
  });
  for (const record of records) told.apply(record);
  return { told, news };
}

describe('the records of a relay', () => {
  it('tell what was said, when, and that it waits', () => {
    const { told } = conversation([message()]);
    expect(told.messages).toEqual([
      {
        id: 'm1',
        at: 500,
        from: 'ada',
        to: 'bob',
        kind: 'review',
        body: 'hi',
        data: { n: 1 },
        recipients: [{ name: 'bob', fate: 'waiting' }],
      },
    ]);
    expect(told.waitsFor('bob')).toBe(true);
    expect(told.waitsFor('ada')).toBe(false);
  });

  it('tell what became of it, also when a dead letter is revived', () => {
    const { told, news } = conversation([
      message(),
      { t: 'ended', seqs: [1], how: 'dead', at: 0, code: 'EXPIRED', text: 'too late' },
    ]);
    expect(told.messages[0]?.recipients).toEqual([
      { name: 'bob', fate: 'dead', code: 'EXPIRED', text: 'too late' },
    ]);
    told.apply({ t: 'ended', seqs: [1], how: 'delivered', at: 0 });
    expect(told.messages[0]?.recipients).toEqual([{ name: 'bob', fate: 'delivered' }]);
    expect(told.waitsFor('bob')).toBe(false);
    expect(news).toEqual(['ada said hi', 'bob dead', 'bob delivered']);
  });

  it('tell what the brake holds, and what it lets go', () => {
    const { told } = conversation([message(), { t: 'hold', from: 'ada', to: 'bob', until: 0 }]);
    expect(told.messages[0]?.recipients[0]?.fate).toBe('held');
    told.apply(message({ id: 'm2', recipients: [{ name: 'bob', seq: 2, until: 0 }] }));
    expect(told.messages[1]?.recipients[0]?.fate).toBe('held');
    told.apply({ t: 'release', from: 'ada', to: 'bob' });
    expect(told.messages.map(({ recipients }) => recipients[0]?.fate)).toEqual(['waiting', 'waiting']);
  });

  it('tell who has joined, with which topics', () => {
    const active = { t: 'active', session: 's1', v: 2, at: 0, resume: '', injects: true } as const;
    const { told } = conversation([{ t: 'opened', session: 's1', name: 'ada', at: 0 }]);
    expect(told.hasJoined('ada', [])).toBe(false);
    told.apply(active);
    expect(told.hasJoined('ada', [])).toBe(true);
    expect(told.hasJoined('ada', ['news'])).toBe(false);
    told.apply({ t: 'topic', name: 'ada', topic: 'news', on: true });
    expect(told.hasJoined('ada', ['news'])).toBe(true);
  });
});
