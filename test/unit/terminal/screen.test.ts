import { afterEach, describe, expect, it } from 'vitest';
import { Screen, type ScreenEvents } from '../../../src/terminal/screen.ts';
import { MAX_QUEUE_BYTES } from '../../../src/terminal/screen-queue.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';

const open: Screen[] = [];
const clock = new FakeClock();

function screen(events: ScreenEvents = {}, cols = 20, rows = 5): Screen {
  const made = new Screen({ cols, rows, clock }, events);
  open.push(made);
  return made;
}

async function show(text: string, events: ScreenEvents = {}): Promise<Screen> {
  const made = screen(events);
  made.push(Buffer.from(text));
  await made.drained();
  return made;
}

afterEach(() => {
  for (const one of open.splice(0)) one.close();
});

describe('what a terminal shows', () => {
  it('rows without blanks at their ends, and the cursor', async () => {
    const made = await show('one  \r\n  two\x1b[5;3Hx');
    expect(made.rows()).toEqual(['one', '  two', '', '', '  x']);
    expect(made.cursor).toEqual({ row: 4, column: 3 });
  });

  it('modes', async () => {
    const made = await show('\x1b[?1;2004;1049h');
    expect(made).toMatchObject({ bracketedPaste: true, applicationCursor: true, alternateScreen: true });
    made.push(Buffer.from('\x1b[?1;2004;1049l'));
    await made.drained();
    expect(made).toMatchObject({ bracketedPaste: false, applicationCursor: false, alternateScreen: false });
  });

  it('nothing before the first byte', () => {
    expect(screen()).toMatchObject({ bracketedPaste: false, cursor: { row: 0, column: 0 } });
    expect(screen().rows()).toEqual([]);
  });

  it('output in the order it came, resizes among it', async () => {
    const made = screen();
    made.push(Buffer.from('abcdefghijklmnop\r\n'));
    made.resize(8, 5);
    made.push(Buffer.from('q'));
    await made.drained();
    expect(made.rows()).toEqual(['abcdefgh', 'ijklmnop', 'q', '', '']);
  });

  it('characters split over chunks', async () => {
    const made = screen();
    for (const byte of Buffer.from('é日🎉› x')) {
      made.push(Buffer.of(byte));
      await made.drained();
    }
    expect(made.rows()[0]).toBe('é日🎉› x');
  });
});

describe('limits', () => {
  it('asks for a pause at 4 MB waiting and says when it may go on; nothing is skipped', async () => {
    let drained = 0;
    const made = screen({ drained: () => drained++ });
    expect(made.push(Buffer.alloc(MAX_QUEUE_BYTES - 1, 'x'))).toBe(true);
    expect(made.push(Buffer.from('\r\nlast\r\n'))).toBe(false);
    await made.drained();
    expect(drained).toBe(1);
    expect(made.rows()).toContain('last');
    expect(made.push(Buffer.from('more'))).toBe(true);
  });

  it('does nothing any more when closed, twice as well', async () => {
    const made = screen();
    made.push(Buffer.from('x'));
    made.close();
    made.close();
    made.push(Buffer.from('y'));
    made.resize(10, 10);
    await made.drained();
    expect(clock.timers).toBe(0);
  });
});

describe('a settled screen', () => {
  it('is told after 50 ms without output, and not within a synchronized update', async () => {
    let settled = 0;
    const made = screen();
    const stop = made.onSettled(() => settled++);
    made.push(Buffer.from('x'));
    await made.drained();
    clock.advance(40);
    made.push(Buffer.from('\x1b[?2026h'));
    await made.drained();
    clock.advance(900);
    expect(settled).toBe(0);
    clock.advance(300);
    expect(settled).toBe(1);
    stop();
    made.push(Buffer.from('\x1b[?2026l'));
    await made.drained();
    clock.advance(100);
    expect(settled).toBe(1);
  });
});
