import { describe, expect, it } from 'vitest';
import { parsePath, valueAt } from '../../../src/run/json-path.ts';
import { compileMatcher, renderMatcher } from '../../../src/run/matcher.ts';
import type { Matcher } from '../../../src/run/schema.ts';
import { said } from './message.ts';

const MOVE = said('bob', 'ada', 'Bob plays c5', {
  topic: 'chess',
  data: { move: 'c5', clock: [297, { left: true }], 'a.b': 1 },
});

describe('a matcher', () => {
  it.each<[Matcher, boolean]>([
    [{ from: 'bob' }, true],
    [{ from: ['ada', 'bob'], to: 'ada' }, true],
    [{ from: 'ada' }, false],
    [{ topic: 'chess', kind: 'message', body: 'c\\d' }, true],
    [{ body: 'C5' }, false],
    [{ body: { pattern: 'C5', flags: 'i' } }, true],
    [{ data: [{ path: '$.move', equals: 'c5' }, { path: 'clock[1].left' }] }, true],
    [{ data: [{ path: '$.move', matches: '^c' }] }, true],
    [{ data: [{ path: '$.clock', equals: [297, { left: true }] }] }, true],
    [{ data: [{ path: '$["a.b"]', equals: 1 }] }, true],
    [{ data: [{ path: '$.move.length' }] }, false],
    [{ data: [{ path: '$.__proto__' }] }, false],
    [{ fate: 'delivered' }, true],
    [{ fate: 'dead' }, false],
  ])('%j: %s', (matcher, expected) => {
    expect(compileMatcher(matcher)(MOVE)).toBe(expected);
  });

  it('finds a broadcast by whom it reached', () => {
    const broadcast = said('ada', '*', 'hello', { recipients: [{ name: 'bob', fate: 'waiting' }] });
    expect(compileMatcher({ to: 'bob' })(broadcast)).toBe(true);
    expect(compileMatcher({ to: '*' })(broadcast)).toBe(true);
    expect(compileMatcher({ to: '*' })(MOVE)).toBe(false);
    expect(compileMatcher({ fate: 'delivered' })(broadcast)).toBe(false);
  });

  it('gives up an expression that backtracks for ever', () => {
    const matches = compileMatcher({ body: '(a+)+$' });
    expect(() => matches(said('a', 'b', `${'a'.repeat(60)}!`))).toThrow(/took more than/);
    expect(matches(said('a', 'b', 'aa'))).toBe(true);
  });

  it('can be read in reports', () => {
    const matcher: Matcher = { from: ['a', 'b'], body: 'x', data: [{ path: '$.n', equals: 1 }] };
    expect(renderMatcher(matcher)).toBe('from a|b, body /x/, data $.n = 1');
  });
});

describe('a path into data', () => {
  it.each(['$.a..b', '$.a[', '$.a[x]', '$[-1]', 'a b[', '.'])('%j is none', (path) => {
    expect(parsePath(path)).toBeUndefined();
  });

  it('is the whole of it when it is $', () => {
    expect(valueAt(5, parsePath('$') ?? ['x'])).toBe(5);
  });
});
