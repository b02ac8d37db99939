import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../helpers/fake-clock.ts';

describe('the fake clock', () => {
  it('runs due timers in the order of their times, and of their making when those are equal', () => {
    const clock = new FakeClock();
    const seen: string[] = [];
    clock.after(20, () => seen.push('late'));
    clock.after(10, () => seen.push('first'));
    clock.after(10, () => seen.push('second'));
    clock.advance(10);
    expect(seen).toEqual(['first', 'second']);
    clock.advance(10);
    expect(seen).toEqual(['first', 'second', 'late']);
    expect(clock.timers).toBe(0);
  });

  it('shows each timer its own time, and runs timers made by timers', () => {
    const clock = new FakeClock(1_000);
    const seen: number[] = [];
    clock.after(10, () => {
      seen.push(clock.now());
      clock.after(5, () => seen.push(clock.now()));
    });
    clock.advance(100);
    expect(seen).toEqual([1_010, 1_015]);
    expect(clock.monotonic()).toBe(100);
  });

  it('repeats a timer of every() until it is cancelled', () => {
    const clock = new FakeClock();
    let runs = 0;
    const timer = clock.every(10, () => {
      runs += 1;
      if (runs === 3) timer.cancel();
    });
    clock.advance(100);
    expect(runs).toBe(3);
    expect(clock.timers).toBe(0);
  });

  it('lets promises settle between timers when it is awaited', async () => {
    const clock = new FakeClock();
    const sleep = (ms: number) => new Promise<void>((resolve) => void clock.after(ms, resolve));
    const seen: number[] = [];
    const twice = (async () => {
      await sleep(10);
      seen.push(clock.monotonic());
      await sleep(10);
      seen.push(clock.monotonic());
    })();
    await clock.advanceAsync(30);
    await twice;
    expect(seen).toEqual([10, 20]);
  });
});
