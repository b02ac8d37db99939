import { Terminal } from '@xterm/headless';
import { beforeEach, describe, expect, it } from 'vitest';
import { HISTORY_ROWS, History } from '../../../src/terminal/history.ts';

describe('rows that leave for the history', () => {
  let terminal: Terminal;
  let history: History;
  let gone: string[];

  beforeEach(() => {
    terminal = new Terminal({ cols: 20, rows: 5, scrollback: HISTORY_ROWS, allowProposedApi: true });
    gone = [];
    history = new History(terminal, (row) => gone.push(row.text));
  });

  const show = (...texts: string[]) =>
    new Promise<void>((resolve) => terminal.write(texts.join(''), resolve));
  /** Lines that are numbers, each ended. */
  const many = (from: number, count: number) =>
    Array.from({ length: count }, (_, at) => `${from + at}\r\n`).join('');
  const numbers = (from: number, count: number) => Array.from({ length: count }, (_, at) => `${from + at}`);

  it('are told in order, from the top of the normal screen only', async () => {
    await show(
      '1\r\n2\r\n3\r\n4\r\n5\r\n6\r\n7', // Two rows leave.
      '\x1b[2;4r\x1b[4;1H\n\n', // A region below the top: none.
      '\x1b[1;3r\x1b[3;1H\n\x1b[r', // A region from the top: one.
      '\x1b[?1049h\x1b[5;1H\n\n\n\x1b[?1049l', // The alternate screen: none.
    );
    expect(gone).toEqual(['1', '2', '3']);
  });

  it('are told on and on when the history is full, cleared and full again', async () => {
    await show(many(0, 3000), '\x1b[2;4r\x1b[4;1H\n\n\x1b[r\x1b[3J\x1b[2J\x1b[H', many(5000, 3000));
    expect(gone).toEqual([...numbers(0, 2996), ...numbers(5000, 2996)]);
  });

  it.each([
    ['a reset', '\x1bc'],
    ['a soft reset', '\x1b[!p'],
  ])('are told again after %s, which ends the scroll region', async (_what, reset) => {
    await show(many(0, 2000));
    gone = [];
    await show('\x1b[2;4r', reset, '\x1b[H\x1b[2J', many(0, 2000));
    expect(gone).toEqual(numbers(0, 1996));
  });

  it('are not told when a resize moves them, and are when they leave by themselves', async () => {
    await show('1\r\n2\r\n3\r\n4\r\n5');
    history.resize(20, 3);
    expect(gone).toEqual([]);
    await show('\r\n6');
    expect(gone).toEqual(['3']);
    history.resize(20, 6);
    await show('\r\n7');
    expect(gone).toEqual(['3', '1']);
  });
});
