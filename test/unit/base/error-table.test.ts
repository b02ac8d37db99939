import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ERRORS } from '../../../src/base/errors.ts';
import { VERSION } from '../../../src/base/version.ts';

describe('docs/errors.md', () => {
  it('has every code with its meaning and way out, and no other', () => {
    const text = readFileSync(new URL('../../../docs/errors.md', import.meta.url), 'utf8');
    // The formatter pads the columns.
    const rows = text
      .split('\n')
      .filter((line) => line.startsWith('| `'))
      .map((line) => line.replace(/ +/g, ' '));
    const expected = Object.entries(ERRORS).map(
      ([code, { meaning, suggestion, retryable }]) =>
        `| \`${code}\` | ${meaning} | ${suggestion} | ${retryable ? 'yes' : 'no'} |`,
    );
    expect(rows).toEqual(expected);
  });
});

describe('the version', () => {
  it('is that of package.json', () => {
    const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
    expect(VERSION).toBe(JSON.parse(text).version);
  });
});
