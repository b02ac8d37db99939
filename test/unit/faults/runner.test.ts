import { describe, expect, it } from 'vitest';
import type { Result } from '../../faults/fault.ts';
import { verdict } from '../../faults/fault.ts';
import { parsePlan } from '../../faults/run.ts';
import { judge } from '../../faults/sender.ts';
import { recordResults, renderTable } from '../../faults/table.ts';

const result = (changes: Partial<Result>): Result => ({
  ...{ name: 'kill', criterion: 'all come back', size: 'quick', seed: 7, seconds: 1.2 },
  ...{ runs: 3, stored: 100, lost: 0, twice: 0, disordered: 0, wrong: [], note: '', skipped: '' },
  ...changes,
});

describe('the runner of faults', () => {
  it.each<[string, Partial<Result>, string]>([
    ['nothing wrong', {}, 'passed'],
    ['a message lost', { lost: 1 }, 'FAILED'],
    ['a message twice', { twice: 1 }, 'FAILED'],
    ['a message out of order', { disordered: 1 }, 'FAILED'],
    ['a breach of another kind', { wrong: ['it said nothing'] }, 'FAILED'],
    ['a machine that cannot', { skipped: 'mounting is refused' }, 'skipped'],
  ])('judges %s', (_what, changes, judged) => {
    expect(verdict(result(changes))).toBe(judged);
    expect(renderTable([result(changes)])).toContain(judged);
  });

  it('renews the rows of the faults that ran, and leaves the others and the page as they are', () => {
    const page =
      '# Faults\n\n<!-- results: written by npm run test:faults -- --record -->\n<!-- /results -->\n\nafter\n';
    const first = recordResults([result({}), result({ name: 'stop', note: 'a | b' })], page);
    const second = recordResults([result({ runs: 200 })], first);
    expect(second).toMatch(/^# Faults\n/);
    expect(second).toMatch(/\nafter\n$/);
    expect(second.match(/^\| `kill` .*$/gm)).toEqual([
      expect.stringContaining('| 200 | 100 | 0 | 0 | 0 | passed'),
    ]);
    expect(second.match(/^\| `stop` .*$/gm)).toEqual([expect.stringContaining('a \\| b')]);
  });

  it.each<[string[], object]>([
    [[], { names: [], size: 'usual', amounts: {}, record: false }],
    [['kill', 'stop', '--quick'], { names: ['kill', 'stop'], size: 'quick' }],
    [['--full', 'kill', '--record'], { names: ['kill'], size: 'full', record: true }],
    [
      ['kill', '--loops', '50', '--seed', '42'],
      { names: ['kill'], seed: 42, amounts: { loops: 50, seed: 42 } },
    ],
    [['--loops=50', 'kill'], { names: ['kill'], amounts: { loops: 50 } }],
  ])('takes %j', (args, plan) => {
    expect(parsePlan(args)).toMatchObject(plan);
  });

  it('does not take half a body, or another one, for what was sent', () => {
    expect(judge(['1 x'], []).wrong).toEqual(['not as it was sent: 1 x']);
    expect(judge([], [1])).toMatchObject({ lost: 1, wrong: ['lost: 1'] });
  });
});
