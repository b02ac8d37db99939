import { describe, expect, it } from 'vitest';
import { type Mistake, StoreWorld } from '../helpers/store-world.ts';

const SEEDS = Number(process.env.STORE_SEEDS ?? 1_000);
const FROM = Number(process.env.STORE_FROM ?? 1);

describe('P12, P20 the store over a disk that forgets, tears and fails', () => {
  for (const durability of ['sync', 'process'] as const) {
    it(`keeps what it promised and brings back nothing it refused (${durability})`, async () => {
      for (let seed = FROM; seed < FROM + SEEDS; seed += 1) {
        const violations = await new StoreWorld({ seed, durability }).run();
        expect(violations, `STORE_FROM=${seed} STORE_SEEDS=1, durability ${durability}`).toEqual([]);
      }
    }, 120_000);
  }
});

describe('the simulation finds mistakes', () => {
  const mistakes: Mistake[] = ['ack-before-sync', 'no-fence', 'replay-unsynced', 'names-not-synced'];
  for (const mistake of mistakes) {
    it(`finds: ${mistake}`, async () => {
      let seed = 0;
      let violations: string[] = [];
      while (violations.length === 0 && seed < 500) {
        seed += 1;
        violations = await new StoreWorld({ seed, durability: 'sync', mistake }).run();
      }
      expect(violations).not.toEqual([]);
    });
  }
});
