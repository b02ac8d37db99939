import { describe, expect, it } from 'vitest';
import { splitCommand } from '../../../src/run/command-line.ts';

describe('a command in one line', () => {
  it.each([
    ['claude -p hello', ['claude', '-p', 'hello']],
    ['  a  \'b c\'\t"d e" ', ['a', 'b c', 'd e']],
    [String.raw`a\ b "c\"d\\e\n" 'f\g'`, ['a b', String.raw`c"d\e\n`, String.raw`f\g`]],
    ["--x='y z'w ''", ['--x=y zw', '']],
    ["echo '$HOME|*'", ['echo', '$HOME|*']],
    ['', []],
  ])('%j is split as a shell does', (line, words) => {
    expect(splitCommand(line)).toEqual(words);
  });

  it.each([
    'a | b',
    'a; b',
    'a > b',
    'a $B',
    'a "$B"',
    'a `b`',
    'a *',
    '~/a',
    'a {b,c}',
    "a 'b",
    'a "b',
    'a\\',
    'a & b',
    'a # b',
  ])('%j is refused: only a shell can mean it', (line) => {
    expect(splitCommand(line)).toBeUndefined();
  });
});
