import { describe, expect, it } from 'vitest';
import { type AgentEnd, judgeExpectations } from '../../../src/run/expectations.ts';
import { exitCodeOf } from '../../../src/run/outcome.ts';
import type { Expectation } from '../../../src/run/schema.ts';
import { said } from './message.ts';

const MESSAGES = [said('a', 'b', 'one'), said('b', 'a', 'two'), said('a', 'b', 'three')];
const ENDS = new Map<string, AgentEnd>([
  ['a', { code: 3 }],
  ['b', 'stopped'],
]);

describe('expect', () => {
  it.each<[Expectation, boolean]>([
    [{ message: { body: 'two' } }, true],
    [{ message: { body: 'four' } }, false],
    [{ message: { from: 'a' }, times: 2 }, true],
    [{ message: { from: 'a' }, times: 1 }, false],
    [{ message: { from: 'a' }, times: { max: 1 } }, false],
    [{ message: { from: 'c' }, times: { max: 1 } }, true],
    [{ never: { body: 'four' } }, true],
    [{ never: { body: 'one' } }, false],
    [{ order: [{ body: 'one' }, { body: 'two' }, { body: 'three' }] }, true],
    [{ order: [{ body: 'two' }, { body: 'one' }] }, false],
    [{ order: [{ from: 'a' }, { from: 'a' }] }, true],
    [{ order: [{ from: 'b' }, { from: 'b' }] }, false],
    [{ exit: { a: 3 } }, true],
    [{ exit: { a: [0, 3] } }, true],
    [{ exit: { a: 0 } }, false],
    [{ exit: { b: 0 } }, false],
  ])('%j: %s', (expectation, ok) => {
    const verdicts = judgeExpectations([expectation], MESSAGES, ENDS);
    expect(verdicts.map((each) => each.ok)).toEqual([ok]);
    expect(verdicts[0]?.detail === '').toBe(ok);
  });

  it('fails, and does not crash, on an expression that backtracks for ever', () => {
    const [verdict] = judgeExpectations(
      [{ never: { body: '(a+)+$' } }],
      [said('a', 'b', `${'a'.repeat(60)}!`)],
      ENDS,
    );
    expect(verdict).toMatchObject({ ok: false, detail: expect.stringContaining('simplify') });
  });
});

describe('the exit code', () => {
  const good = { title: '', ok: true, detail: '' };
  const bad = { title: '', ok: false, detail: 'x' };
  it.each([
    [{ how: 'met', condition: '' }, [good], false, 0],
    [{ how: 'met', condition: '' }, [good, bad], false, 1],
    [{ how: 'unmet' }, [good], false, 1],
    [{ how: 'timed-out', seconds: 1 }, [bad], true, 3],
    [{ how: 'agent-failed', agent: 'a', code: 9 }, [bad], true, 4],
    [{ how: 'met', condition: '' }, [good], true, 4],
    [{ how: 'interrupted', signal: 'SIGINT' }, [], false, 130],
    [{ how: 'interrupted', signal: 'SIGTERM' }, [], false, 143],
    [{ how: 'broken', message: '' }, [], false, 1],
  ] as const)('of %j with verdicts %j, failed %s, is %i', (outcome, verdicts, failed, code) => {
    expect(exitCodeOf(outcome, verdicts, failed)).toBe(code);
  });
});
