import { describe, expect, it } from 'vitest';
import { backoffMs } from '../../../src/client/backoff.ts';
import { Outbox } from '../../../src/client/outbox.ts';

let now = 1_000;
const newOutbox = (memory?: { messages: number; bytes: number }): Outbox =>
  new Outbox({ now: () => now, ...(memory === undefined ? {} : { memory }) });
const frame = (text: string): Buffer => Buffer.from(text);
const drain = (outbox: Outbox): string[] => {
  const sent: string[] = [];
  for (let next = outbox.next(); next !== undefined; next = outbox.next()) sent.push(next.toString());
  return sent;
};

describe('P12 the outbox', () => {
  it('keeps a SEND until its recipient has it, and sends it again to each new connection', () => {
    const outbox = newOutbox();
    outbox.add('1', 'bob', frame('one'));
    outbox.add('2', 'bob', frame('two'));
    expect(drain(outbox)).toEqual(['one', 'two']);
    expect(outbox.acknowledged({ ack_id: '1', stage: 'stored' })).toMatchObject({ outcome: 'stored' });
    outbox.restart();
    expect(drain(outbox)).toEqual(['one', 'two']);
    expect(outbox.acknowledged({ ack_id: '1', stage: 'delivered', to: 'bob' })).toEqual({
      id: '1',
      to: 'bob',
      outcome: 'delivered',
    });
    outbox.restart();
    expect(drain(outbox)).toEqual(['two']);
  });

  it('ends a broadcast with the end of each of its recipients', () => {
    const outbox = newOutbox();
    outbox.add('1', '*', frame('all'));
    outbox.acknowledged({ ack_id: '1', recipients: ['bob', 'carol'] });
    outbox.acknowledged({ ack_id: '1', stage: 'delivered', to: 'bob' });
    expect(outbox.size).toBe(1);
    const fate = outbox.refused({ ack_id: '1', code: 'EXPIRED', message: 'too late', to: 'carol' });
    expect(fate).toMatchObject({ outcome: 'failed', to: 'carol', code: 'EXPIRED' });
    expect(outbox.size).toBe(0);
  });

  it('is done with a broadcast to nobody', () => {
    const outbox = newOutbox();
    outbox.add('1', '*', frame('all'));
    expect(outbox.acknowledged({ ack_id: '1', recipients: [] })).toBeUndefined();
    expect(outbox.size).toBe(0);
  });

  it('sends what was refused for now again, before anything younger', () => {
    const outbox = newOutbox();
    for (const id of ['1', '2', '3']) outbox.add(id, 'bob', frame(id));
    expect([outbox.next(), outbox.next()].map(String)).toEqual(['1', '2']);
    expect(outbox.refused({ ack_id: '2', code: 'QUEUE_FULL', message: 'full' })).toBe('retry');
    expect(outbox.refused({ ack_id: '1', code: 'QUEUE_FULL', message: 'full' })).toBe('retry');
    outbox.retry();
    expect(drain(outbox)).toEqual(['1']);
    outbox.acknowledged({ ack_id: '1', stage: 'stored' });
    expect(drain(outbox)).toEqual(['2', '3']);
  });

  it('asks for room with one SEND, and goes on with twice as many as long as none is refused', () => {
    let room = 0;
    const outbox = new Outbox({ now: () => now, room: () => room++ });
    const numbers = Array.from({ length: 10 }, (_, n) => `${n}`);
    const refuse = (id: string) => outbox.refused({ ack_id: id, code: 'QUEUE_FULL', message: 'full' });
    const take = (...ids: string[]) => {
      for (const id of ids) outbox.acknowledged({ ack_id: id, stage: 'stored' });
    };
    for (const n of numbers) outbox.add(n, 'bob', frame(n));
    drain(outbox);
    for (const n of numbers) refuse(n);
    outbox.add('cal', 'cal', frame('cal'));
    outbox.add('10', 'bob', frame('10'));
    expect(drain(outbox)).toEqual(['cal']);
    outbox.retry();
    expect(drain(outbox)).toEqual(['0']);
    take('0');
    expect(drain(outbox)).toEqual(['1', '2']);
    take('1');
    expect(drain(outbox)).toEqual([]);
    take('2');
    expect(drain(outbox)).toEqual(['3', '4', '5', '6']);
    refuse('4');
    take('3', '5', '6');
    expect(drain(outbox)).toEqual([]);
    outbox.retry();
    expect(drain(outbox)).toEqual(['4']);
    refuse('4');
    outbox.retry();
    expect(drain(outbox)).toEqual(['4']);
    take('4');
    expect(drain(outbox)).toEqual(['7', '8']);
    take('7', '8');
    expect(drain(outbox)).toEqual(['9', '10']);
    take('9', '10');
    outbox.add('11', 'bob', frame('11'));
    expect(drain(outbox)).toEqual(['11']);
    expect(room).toBe(11);
  });

  it('asks on though what asked together with it is not answered yet', () => {
    const outbox = newOutbox();
    for (const id of ['1', '2', '3', '4']) outbox.add(id, 'bob', frame(id));
    drain(outbox);
    for (const id of ['1', '2', '3', '4'])
      outbox.refused({ ack_id: id, code: 'STORE_FULL', message: 'full' });
    outbox.retry();
    drain(outbox);
    outbox.acknowledged({ ack_id: '1', stage: 'stored' });
    expect(drain(outbox)).toEqual(['2', '3']);
    outbox.refused({ ack_id: '3', code: 'STORE_FULL', message: 'full' });
    outbox.retry();
    expect(drain(outbox)).toEqual(['3']);
    outbox.acknowledged({ ack_id: '2', stage: 'stored' });
    outbox.acknowledged({ ack_id: '3', stage: 'stored' });
    expect(drain(outbox)).toEqual(['4']);
  });

  it('a new connection has refused nothing', () => {
    const outbox = newOutbox();
    for (const id of ['1', '2']) outbox.add(id, 'bob', frame(id));
    drain(outbox);
    for (const id of ['1', '2']) outbox.refused({ ack_id: id, code: 'QUEUE_FULL', message: 'full' });
    outbox.restart();
    expect(drain(outbox)).toEqual(['1', '2']);
  });

  it('follows the advice to wait with what is for one recipient', () => {
    const outbox = newOutbox();
    outbox.advised('bob');
    outbox.add('1', 'bob', frame('1'));
    outbox.add('2', 'cal', frame('2'));
    outbox.add('3', 'bob', frame('3'));
    expect(drain(outbox)).toEqual(['2']);
    outbox.goOn();
    expect(drain(outbox)).toEqual(['1', '3']);
    outbox.advised('bob');
    outbox.refused({ ack_id: '1', code: 'QUEUE_FULL', message: 'full' });
    outbox.goOn();
    expect(drain(outbox)).toEqual([]);
    outbox.retry();
    expect(drain(outbox)).toEqual(['1']);
  });

  it('does not resend what was tried before the relay’s memory of ids begins, and says so', () => {
    const outbox = newOutbox();
    for (const id of ['1', '2', '3', '4']) outbox.add(id, 'bob', frame(id));
    const tried = [100, 200, 300].map((ms) => {
      now = ms;
      return String(outbox.next());
    });
    expect(tried).toEqual(['1', '2', '3']);
    outbox.acknowledged({ ack_id: '1', stage: 'stored' });
    const message = expect.any(String);
    expect(outbox.restart(200)).toEqual([
      { id: '1', to: 'bob', outcome: 'failed', code: 'NOT_CONFIRMED', message },
    ]);
    expect(drain(outbox)).toEqual(['2', '3', '4']);
    // A repeat does not make it younger; what was never tried is safe.
    expect(outbox.restart(300).map(({ id }) => id)).toEqual(['2']);
    expect(outbox.acknowledged({ ack_id: '2', stage: 'delivered' })).toBeUndefined();
    expect(drain(outbox)).toEqual(['3', '4']);
  });

  it('reports each recipient of a broadcast whose end was not told', () => {
    const outbox = newOutbox();
    outbox.add('1', '*', frame('all'));
    now = 100;
    outbox.next();
    outbox.acknowledged({ ack_id: '1', recipients: ['bob', 'carol', 'dan'] });
    outbox.acknowledged({ ack_id: '1', stage: 'delivered', to: 'carol' });
    expect(outbox.restart(101).map(({ to }) => to)).toEqual(['bob', 'dan']);
    expect(outbox.size).toBe(0);
  });

  it('says so when it is full', () => {
    const outbox = newOutbox({ messages: 2, bytes: 10 });
    outbox.add('1', 'bob', frame('12345'));
    expect(() => outbox.add('2', 'bob', frame('123456'))).toThrow(
      expect.objectContaining({ code: 'QUEUE_FULL' }),
    );
    outbox.add('3', 'bob', frame('1'));
    expect(() => outbox.add('4', 'bob', frame('1'))).toThrow(expect.objectContaining({ code: 'QUEUE_FULL' }));
  });
});

describe('§10 backoff', () => {
  it('doubles from 100 ms to 30 s with 15 % of jitter, and stays there', () => {
    expect([1, 2, 3, 9, 10, 11].map((n) => backoffMs(n, () => 0.5))).toEqual([
      100, 200, 400, 25_600, 30_000, 30_000,
    ]);
    expect(backoffMs(1, () => 0)).toBeCloseTo(85);
    expect(backoffMs(1, () => 1)).toBeCloseTo(115);
  });
});
