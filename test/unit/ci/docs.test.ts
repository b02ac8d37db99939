import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CHECKLIST } from '../../../.ci/checklist.ts';
import { checklistTests, pages } from '../../../.ci/docs.ts';

const ROOT = resolve(import.meta.dirname, '../../..');

describe('the generated pages', () => {
  it.each(Object.entries(pages()))('%s is what the code says; else run: npm run docs', (file, text) => {
    expect(readFileSync(join(ROOT, file), 'utf8')).toBe(text);
  });

  it('each of the 30 points of the checklist is named by a test', () => {
    expect(CHECKLIST).toHaveLength(30);
    const named = checklistTests();
    const missing = CHECKLIST.map((_, index) => index + 1).filter((point) => !named.has(point));
    expect(missing).toEqual([]);
    expect([...named.keys()].filter((point) => point < 1 || point > 30)).toEqual([]);
  });
});
