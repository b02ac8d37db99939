import { describe, expect, it } from 'vitest';
import type { CastEvent } from '../../../src/terminal/cast.ts';
import { Player, RESET } from '../../../src/terminal/player.ts';
import { NullTty, type TtyEvents } from '../../../src/terminal/tty.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';

class PlayedTty extends NullTty {
  events: TtyEvents | undefined;
  readonly written: string[];

  constructor() {
    const written: string[] = [];
    super({ cols: 80, rows: 24 }, (chunk) => written.push(Buffer.from(chunk).toString()));
    this.written = written;
  }

  override start(events?: TtyEvents): void {
    this.events = events;
  }
}

const EVENTS: CastEvent[] = [
  { time: 1, kind: 'o', text: 'a' },
  { time: 1, kind: 'i', text: 'never shown' },
  { time: 11, kind: 'o', text: 'b' },
];

async function* stream(): AsyncGenerator<CastEvent> {
  yield* EVENTS;
}

function playing(speed = 1, idleLimitMs = Number.POSITIVE_INFINITY) {
  const clock = new FakeClock();
  const tty = new PlayedTty();
  const player = new Player({ tty, speed, idleLimitMs, clock });
  const end = player.play(stream());
  const pass = async (ms: number) => {
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(ms);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { tty, player, end, pass };
}

describe('a player', () => {
  it('keeps the time of the recording, and leaves the terminal as it was', async () => {
    const { tty, end, pass } = playing();
    await pass(1000);
    await pass(0);
    expect(tty.written).toEqual(['a']);
    await pass(9_999);
    expect(tty.written).toEqual(['a']);
    await pass(1);
    expect(await end).toBe('ended');
    expect(tty.written).toEqual(['a', 'b', RESET]);
  });

  it('is faster, and cuts long waits, as told', async () => {
    const { tty, end, pass } = playing(2, 2_000);
    await pass(500);
    await pass(0);
    await pass(1_000);
    expect(await end).toBe('ended');
    expect(tty.written).toEqual(['a', 'b', RESET]);
  });

  it('pauses and stops by keys; a reply of the terminal is none', async () => {
    const { tty, end, pass } = playing();
    await pass(0);
    tty.events?.onInput(Buffer.from(' '));
    await pass(60_000);
    expect(tty.written).toEqual([]);
    tty.events?.onInput(Buffer.from('\x1b[?62;q'));
    tty.events?.onInput(Buffer.from(' '));
    await pass(0);
    expect(tty.written).toEqual(['a']);
    tty.events?.onInput(Buffer.from('q'));
    expect(await end).toBe('stopped');
    expect(tty.written).toEqual(['a', RESET]);
  });
});
