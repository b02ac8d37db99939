import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { filesIn, textOf } from '../../../src/agents/agent-files.ts';

describe('what an agent keeps on disk', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'agent-wrap-files-'));
    mkdirSync(join(folder, 'day'));
    writeFileSync(join(folder, 'day', 'one'), 'text');
    writeFileSync(join(folder, 'two'), '');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('is listed with its folder, and with those below it only if asked for', () => {
    expect(filesIn(folder).sort()).toEqual([join(folder, 'day'), join(folder, 'two')]);
    expect(filesIn(folder, 'deep')).toContain(join(folder, 'day', 'one'));
  });

  it('is empty where there is nothing to read', () => {
    expect(textOf(join(folder, 'day', 'one'))).toBe('text');
    for (const missing of [join(folder, 'missing'), join(folder, 'two', 'below')]) {
      expect(filesIn(missing)).toEqual([]);
      expect(textOf(missing)).toBe('');
    }
    expect(textOf(folder)).toBe('');
  });
});
