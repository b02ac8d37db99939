import { describe, expect, it } from 'vitest';
import { Inbox } from '../../../src/client/inbox.ts';
import type { DeliverEnvelope } from '../../../src/protocol/envelope.ts';

const deliver = (id: string): DeliverEnvelope => ({
  v: 1,
  type: 'DELIVER',
  id,
  ts: 1,
  from: 'bob',
  payload: { body: 'x' },
  delivery: { seq: 1, session_id: 's' },
});

describe('P15 the inbox', () => {
  it('hands a delivery on once, and acknowledges a repeat of what was taken', () => {
    const inbox = new Inbox();
    expect(inbox.arrived(deliver('1'))).toBe('new');
    expect(inbox.arrived(deliver('1'))).toBe('waiting');
    inbox.ended('1', 'taken');
    expect(inbox.arrived(deliver('1'))).toBe('taken');
    expect(inbox.releaseWaiting()).toEqual([]);
  });

  it('gives a repeat of what was refused the same answer: it may have been typed', () => {
    const inbox = new Inbox();
    inbox.arrived(deliver('1'));
    inbox.ended('1', { code: 'NOT_CONFIRMED', message: 'no echo' });
    expect(inbox.arrived(deliver('1'))).toEqual({ code: 'NOT_CONFIRMED', message: 'no echo' });
  });

  it('gives back what waits when the session is another', () => {
    const inbox = new Inbox();
    inbox.arrived(deliver('1'));
    inbox.arrived(deliver('2'));
    inbox.ended('1', 'taken');
    expect(inbox.releaseWaiting()).toEqual(['2']);
    expect(inbox.isWaiting('2')).toBe(false);
    expect(inbox.arrived(deliver('2'))).toBe('new');
  });
});
