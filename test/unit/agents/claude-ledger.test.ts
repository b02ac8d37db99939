import { describe, expect, it } from 'vitest';
import { ClaudeLedger } from '../../../src/agents/claude-ledger.ts';

const block = (id: string, text: string, at: number, from = 0) => ({ id, text, at, file: 'f', from });

describe('two accounts of what Claude Code said', () => {
  it('agree, whichever comes first', () => {
    const ledger = new ClaudeLedger();
    ledger.said('m', 'one\n');
    ledger.written(block('u1', 'one\n', 1));
    ledger.written(block('u2', 'two', 2));
    expect(ledger.oldestUnsaid).toBe(2);
    ledger.said('n', 'tw');
    ledger.said('n', 'o');
    expect(ledger.oldestUnsaid).toBeUndefined();
    expect(ledger.takeUnsaid()).toEqual([]);
  });

  it('need an honest second "ok" said twice', () => {
    const ledger = new ClaudeLedger();
    ledger.said('m', 'ok');
    ledger.written(block('u1', 'ok', 1));
    ledger.written(block('u2', 'ok', 2));
    expect(ledger.takeUnsaid()).toEqual([{ message: 'u2', offset: 0, text: 'ok' }]);
  });

  it('are joined in the middle of a message without a loss or a repeat', () => {
    const ledger = new ClaudeLedger();
    ledger.said('m', '>>relay:bob one\n');
    ledger.written(block('u1', '>>relay:bob one\n>>relay:bob two\n', 1));
    ledger.written(block('u2', 'more', 2));
    expect(ledger.takeUnsaid()).toEqual([
      { message: 'm', offset: 16, text: '>>relay:bob two\n' },
      { message: 'u2', offset: 0, text: 'more' },
    ]);
    expect(ledger.takeUnsaid()).toEqual([]);
  });

  it('know what a crash now would leave between them', () => {
    const ledger = new ClaudeLedger();
    ledger.said('m', 'begun');
    expect(ledger.begun).toEqual([{ id: 'm', text: 'begun' }]);
    ledger.written(block('u0', 'untold', 1, 70));
    ledger.written(block('u1', 'begun and ended', 1, 90));
    expect(ledger.unsaidFrom('f')).toBe(70);
    ledger.said('n', 'untold');
    expect(ledger.unsaidFrom('f')).toBe(90);
    ledger.said('m', ' and ended');
    expect(ledger.unsaidFrom('f')).toBeUndefined();
    expect(ledger.begun).toEqual([]);
  });

  it('show where a block begins that was glued to the one before', () => {
    const ledger = new ClaudeLedger();
    ledger.said('m', 'one>>relay:bob two\nmore\n');
    ledger.written(block('u1', 'one', 1));
    expect(ledger.takeGlued()).toEqual([]);
    ledger.written(block('u2', '>>relay:bob two\nmore', 2));
    expect(ledger.takeGlued()).toEqual([{ message: 'm', offset: 3, text: '>>relay:bob two\nmore' }]);
    expect(ledger.takeGlued()).toEqual([]);
  });

  it('do not take a block that began a line for one that was glued', () => {
    const ledger = new ClaudeLedger();
    ledger.said('m', 'one\n\n>>relay:bob two\n');
    ledger.written(block('u1', 'one\n', 1));
    ledger.written(block('u2', '>>relay:bob two', 2));
    expect(ledger.takeGlued()).toEqual([]);
  });

  it('know what a crash would leave of a message of several blocks', () => {
    const ledger = new ClaudeLedger();
    ledger.said('m', 'first\nsecond');
    ledger.written(block('u1', 'first\n', 1));
    expect(ledger.begun).toEqual([{ id: 'm', text: '\nsecond', offset: 5 }]);
    ledger.written(block('u2', 'second', 1));
    expect(ledger.begun).toEqual([]);
  });

  it('may differ in blanks at the ends', () => {
    const ledger = new ClaudeLedger();
    ledger.said('m', 'cut short ');
    ledger.written(block('u1', 'cut short', 1));
    expect(ledger.oldestUnsaid).toBeUndefined();
    expect(ledger.hasSaid('cut short')).toBe(true);
    expect(ledger.hasSaid('other')).toBe(false);
  });
});
