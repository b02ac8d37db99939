/** Each real fault once and small; the proof is `npm run test:faults -- --full` (docs/faults.md). */
import { describe, expect, it } from 'vitest';
import { verdict } from '../faults/fault.ts';
import { loadFaults, runFaults } from '../faults/run.ts';

const faults = await loadFaults();
const SEED = 1;

describe.each([...faults.values()])('$name', ({ name, criterion }) => {
  it(criterion, { timeout: 180_000 }, async (context) => {
    const said: string[] = [];
    const plan = {
      names: [name],
      size: 'quick',
      seed: SEED,
      amounts: {},
      say: (line: string) => said.push(line),
    } as const;
    const [result] = await runFaults(plan);
    if (result?.skipped) {
      console.log(`${name}: skipped: ${result.skipped}`);
      context.skip();
    }
    expect(result && verdict(result), said.join('\n')).toBe('passed');
  });
});
