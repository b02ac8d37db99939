/** Tests over many seeds. Each file takes a share of them, so that the files run beside each other. */
import { describe, expect, it } from 'vitest';
import { simulate } from './sim-world.ts';

const MINUTES = 60_000;

/** Declares the test that `count` histories from seed `from` on hold what the protocol promises. */
export function expectNoViolations(from: number, count: number): void {
  describe('§5, §8, §10: whatever happens to processes, connections, disk and clock', () => {
    it(
      `nothing promised is lost, repeated, reordered or said from behind the fence: seeds from ${from}`,
      async () => {
        for (let seed = from; seed < from + count; seed += 1) {
          const { violations } = await simulate({ seed });
          expect(violations, `npm run sim -- --seeds 1 --from ${seed} --verbose`).toEqual([]);
        }
      },
      10 * MINUTES,
    );
  });
}
