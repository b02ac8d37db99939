import { describe, expect, it } from 'vitest';
import { MAX_QUEUE_BYTES, ScreenQueue } from '../../../src/terminal/screen-queue.ts';

/** All that waits: the bytes of each write, and the sizes in between. */
function taken(queue: ScreenQueue): (number | string)[] {
  const jobs: (number | string)[] = [];
  for (let job = queue.next(); job !== undefined; job = queue.next())
    jobs.push('bytes' in job ? job.bytes.length : `${job.cols}×${job.rows}`);
  return jobs;
}

describe('what waits for the emulator', () => {
  it('is given out in slices of 64 KB, small pieces together, and never past a resize', () => {
    const queue = new ScreenQueue();
    queue.push(Buffer.alloc(100_000));
    for (let at = 0; at < 3; at++) queue.push(Buffer.alloc(10));
    queue.resize(80, 24);
    queue.push(Buffer.alloc(5));
    expect(taken(queue)).toEqual([65_536, 100_000 - 65_536 + 30, '80×24', 5]);
  });

  it('keeps its order', () => {
    const queue = new ScreenQueue();
    for (const piece of ['a', 'b', 'c']) queue.push(Buffer.from(piece));
    expect(queue.next()).toEqual({ bytes: Buffer.from('abc') });
  });

  it('is full at 4 MB until they are on the screen, not when they are given out', () => {
    const queue = new ScreenQueue();
    expect(queue.push(Buffer.alloc(MAX_QUEUE_BYTES - 1))).toBe(true);
    expect(queue.push(Buffer.alloc(1))).toBe(false);
    taken(queue);
    expect(queue.push(Buffer.alloc(1))).toBe(false);
    queue.written(MAX_QUEUE_BYTES);
    expect(queue.push(Buffer.alloc(1))).toBe(true);
  });

  it('is nothing once it is cleared', () => {
    const queue = new ScreenQueue();
    queue.push(Buffer.alloc(MAX_QUEUE_BYTES));
    queue.clear();
    expect(queue.push(Buffer.alloc(1))).toBe(true);
    expect(taken(queue)).toEqual([1]);
  });
});
