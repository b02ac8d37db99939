import { describe, expect, it } from 'vitest';
import { type Profile, ungutter } from '../../../src/terminal/gutter.ts';

const lines = (rows: string[], profile: Profile, cols: number) =>
  ungutter(
    rows.map((text, at) => ({ text, first: at, last: at })),
    profile,
    cols,
  ).map((line) => line.text);

describe('real-agents.md §3: what a TUI puts around the text', () => {
  it('goes for its profile, and stays without one', () => {
    expect(lines(['● one', '  two'], 'claude', 80)).toEqual(['one', 'two']);
    expect(lines(['• one', '  two'], 'codex', 80)).toEqual(['one', 'two']);
    expect(lines(['✦ one', '  two'], 'gemini', 80)).toEqual(['one', 'two']);
    expect(lines(['     one', '     │ two'], 'opencode', 80)).toEqual(['one', 'two']);
    expect(lines(['● one', '  two'], 'generic', 80)).toEqual(['● one', '  two']);
  });

  it('a line break goes where the next word would not have fitted', () => {
    expect(lines(['● aaaa bbbb', '  cccc dddd', '  ee', '  ffff'], 'claude', 12)).toEqual([
      'aaaa bbbb cccc dddd ee',
      'ffff',
    ]);
  });

  it('a word longer than a row is put together without a blank', () => {
    expect(lines(['● aaaaaaaaaa', '  bbbbbbbbbb', '  cc dd'], 'claude', 12)).toEqual([
      'aaaaaaaaaabbbbbbbbbbcc dd',
    ]);
  });

  it('wide characters count two cells', () => {
    expect(lines(['● 日本語日本', '  語'], 'claude', 12)).toEqual(['日本語日本語']);
    expect(lines(['● 日本語', '  ab'], 'claude', 12)).toEqual(['日本語', 'ab']);
  });

  it('what begins a line of its own is not joined', () => {
    const starts = ['>>relay:bob x', '[[RELAY]]', '- item', '```', '}'];
    for (const text of starts) expect(lines(['● aaaa bbbbb', `  ${text}`], 'claude', 12)).toHaveLength(2);
    expect(lines(['● aaaa bbbbb', '● cccccc'], 'claude', 12)).toHaveLength(2);
    expect(lines(['● aaaa bbbbb', 'cccccc'], 'claude', 12)).toHaveLength(2);
  });
});
