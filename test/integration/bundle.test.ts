import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

describe('the bundle', () => {
  it('is ASCII: bin/load.cjs reads it one byte a character, and agents draw signs that are not', () => {
    const bundle = readFileSync(new URL('../../dist/main.cjs', import.meta.url), 'utf8');
    expect(bundle.match(/[^\0-\x7f]/)).toBeNull();
    // The sign before Codex's prompt, from a regular expression: escaped, not lost.
    expect(bundle).toContain('\\u203a');
  });
});
