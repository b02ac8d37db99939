import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Queue } from '../../../src/base/queue.ts';

describe('a queue', () => {
  it('gives in the order of coming whatever is pushed and taken, also beyond its spare places', () => {
    const steps = fc.array(fc.tuple(fc.nat(1_500), fc.nat(1_500)), { maxLength: 8 });
    fc.assert(
      fc.property(steps, (rounds) => {
        const queue = new Queue<number>();
        const model: number[] = [];
        let next = 0;
        for (const [pushes, takes] of rounds) {
          for (let n = 0; n < pushes; n++) {
            queue.push(next);
            model.push(next++);
          }
          for (let n = 0; n < takes; n++) expect(queue.shift()).toBe(model.shift());
          expect(queue.length).toBe(model.length);
          expect(queue.first).toBe(model[0]);
          expect([...queue]).toEqual(model);
        }
      }),
      { numRuns: 30 },
    );
  });

  it('is read on while its oldest are taken and new ones come', () => {
    const queue = new Queue<number>();
    for (let n = 0; n < 5_000; n++) queue.push(n);
    const seen: number[] = [];
    for (const each of queue) {
      seen.push(each);
      if (each === 10) {
        for (let n = 0; n < 3_000; n++) queue.shift();
        queue.push(5_000);
      }
    }
    expect(seen).toEqual([
      ...Array.from({ length: 11 }, (_, n) => n),
      ...Array.from({ length: 2_001 }, (_, n) => n + 3_000),
    ]);
  });
});
