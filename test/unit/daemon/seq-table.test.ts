import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Delivery, SEQS_PER_EPOCH } from '../../../src/daemon/message.ts';
import { SeqTable } from '../../../src/daemon/seq-table.ts';

describe('P11 deliveries by seq', () => {
  it('are found and forgotten as in a Map, in every epoch and across pages', () => {
    const seq = fc
      .tuple(fc.constantFrom(0, 1, 2 ** 21 - 1), fc.oneof(fc.nat(5), fc.integer({ min: 1_020, max: 1_030 })))
      .map(([epoch, n]) => epoch * SEQS_PER_EPOCH + n);
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), seq), { maxLength: 60 }), (steps) => {
        const table = new SeqTable();
        const model = new Map<number, Delivery>();
        for (const [set, at] of steps) {
          if (set) {
            const delivery = { seq: at } as Delivery;
            table.set(delivery);
            model.set(at, delivery);
          } else {
            table.delete(at);
            model.delete(at);
          }
          for (const [, each] of steps) expect(table.get(each)).toBe(model.get(each));
        }
      }),
    );
  });
});
