import { describe, expect, it } from 'vitest';
import { MISTAKES, type Mistake } from './mistakes.ts';
import { simulate } from './sim-world.ts';

/** The seeds of CI (histories-1 and -2). */
const SEEDS = 2_000;

const MINUTES = 60_000;

async function found(mistake: Mistake): Promise<{ seed: number; violations: readonly string[] }> {
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const { violations } = await simulate({ seed, mistake });
    if (violations.length > 0) return { seed, violations };
  }
  throw new Error(`${SEEDS} seeds did not find it`);
}

describe('The simulation', () => {
  it('gives the same history for the same seed', async () => {
    for (const seed of [1, 2, 3]) {
      const lines: string[] = [];
      const { hash } = await simulate({ seed, tell: (line) => lines.push(line) });
      expect((await simulate({ seed })).hash).toBe(hash);
      expect(lines.length).toBeGreaterThan(50);
    }
  });

  it('gives another history for another seed', async () => {
    const hashes = await Promise.all([simulate({ seed: 1 }), simulate({ seed: 2 })]);
    expect(hashes[0].hash).not.toBe(hashes[1].hash);
  });

  const telling: Record<Mistake, RegExp> = {
    'ack-before-sync': /is lost|never took|damage/,
    'no-epoch-check': /behind the fence/,
    'seq-reset-on-takeover': /was given to|after \d+ of|is left/,
    'no-deduplication': /handed twice|overtaken/,
    'replay-of-unsynced-records': /is lost|never took|damage/,
    'inbox-forgets': /handed twice/,
    'ends-told-before-sync': /behind the fence|is left|is told to be/,
    'resume-token-not-rotated': /resume token/,
    'claims-lost-on-restart': /another answer holds/,
    'postponed-records-dropped': /is left|not at rest/,
    'outbox-left-behind': /was kept|not at rest/,
    'resume-replays-nothing': /were not replayed|not at rest/,
    'files-left-open': /files open/,
    'dropped-letters-return': /dead letter again/,
    'left-outbox-goes-last': /overtaken|not at rest/,
  };
  for (const mistake of MISTAKES) {
    it(
      `finds the mistake ${mistake} within the seeds of CI`,
      async () => {
        const { violations } = await found(mistake);
        expect(violations.join('\n')).toMatch(telling[mistake]);
      },
      10 * MINUTES,
    );
  }
});
