/** What is told before the fork; the exit codes are seen in test/e2e/ways-out.test.ts. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { decideSize, requireUsable, resolveAgent } from '../../../src/terminal/resolve.ts';

const folder = mkdtempSync(join(tmpdir(), 'agent-wrap-resolve-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string, mode: number, text = '') => {
  writeFileSync(join(folder, name), text);
  chmodSync(join(folder, name), mode);
  return join(folder, name);
};
mkdirSync(join(folder, 'a'));
mkdirSync(join(folder, 'b'));
mkdirSync(join(folder, 'a', 'dir'));
file('a/plain', 0o644);
file('b/plain', 0o755);
file('b/dir', 0o755);
file('a/only-plain', 0o644);
file('here', 0o755);
const path = `${folder}/none:${folder}/a:${folder}/b`;
const codeOf = (run: () => unknown) => {
  try {
    run();
    return 'none';
  } catch (error) {
    return (error as { code: string }).code;
  }
};

describe('finding the agent as a shell does', () => {
  it('takes the first executable file, past directories and files without the x bit', () => {
    expect(resolveAgent('plain', '/', path)).toBe(join(folder, 'b/plain'));
    expect(resolveAgent('dir', '/', path)).toBe(join(folder, 'b/dir'));
  });
  it('an empty part of PATH is the current directory', () => {
    expect(resolveAgent('here', folder, '/nowhere:')).toBe(join(folder, 'here'));
  });
  it('a name with a slash is not searched, and is relative to the directory', () => {
    expect(resolveAgent('b/plain', folder, undefined)).toBe(join(folder, 'b/plain'));
    expect(codeOf(() => resolveAgent('./plain', folder, path))).toBe('AGENT_NOT_FOUND');
  });
  it('without PATH the system’s directories are searched', () => {
    expect(resolveAgent('sh', '/', undefined)).toMatch(/^\/(usr\/)?bin\/sh$/);
  });
  it('tells not found from not executable', () => {
    expect(codeOf(() => resolveAgent('nowhere', '/', path))).toBe('AGENT_NOT_FOUND');
    expect(codeOf(() => resolveAgent('', '/', path))).toBe('AGENT_NOT_FOUND');
    expect(codeOf(() => resolveAgent('only-plain', '/', path))).toBe('AGENT_NOT_EXECUTABLE');
    expect(codeOf(() => resolveAgent(join(folder, 'a/dir'), '/', path))).toBe('AGENT_NOT_EXECUTABLE');
    expect(codeOf(() => resolveAgent('/dev/null', '/', path))).toBe('AGENT_NOT_EXECUTABLE');
  });
});

describe('the size', () => {
  it('is what was asked for, else the terminal’s, else the environment’s, else 80 × 24', () => {
    const env = { COLUMNS: '100', LINES: '30' };
    expect(decideSize({ cols: 50 }, { cols: 90, rows: 20 }, env)).toEqual({ cols: 50, rows: 20 });
    expect(decideSize({}, { cols: 0, rows: 0 }, env)).toEqual({ cols: 100, rows: 30 });
    expect(decideSize({}, { cols: 0, rows: 0 }, { COLUMNS: '-1', LINES: '1e9' })).toEqual({
      cols: 80,
      rows: 24,
    });
  });
  it('of one column is refused', () => {
    expect(codeOf(() => requireUsable({ cols: 1, rows: 24 }))).toBe('TERMINAL_TOO_SMALL');
    expect(codeOf(() => requireUsable({ cols: 2, rows: 1 }))).toBe('none');
  });
});
