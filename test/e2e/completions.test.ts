import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { COMMAND } from '../helpers/outer-terminal.ts';

const hasBash = spawnSync('bash', ['--version']).status === 0;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'completions-'));
  const start = COMMAND.map((word) => `'${word}'`).join(' ');
  writeFileSync(join(folder, 'agent-wrap'), `#!/bin/sh\nexec ${start} "$@"\n`, { mode: 0o755 });
  writeFileSync(join(folder, 'a log $(touch gone).txt'), '');
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What bash would offer for this line, the cursor at its end. */
function offered(...words: string[]): string[] {
  const script = `
    source <(agent-wrap completions bash)
    COMP_WORDS=(agent-wrap "$@") COMP_CWORD=$#
    _agent_wrap
    printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = spawnSync('bash', ['-c', script, 'bash', ...words], {
    cwd: folder,
    env: { PATH: `${folder}:${process.env.PATH}`, HOME: folder },
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  return stdout.split('\n').slice(0, -1);
}

describe.runIf(hasBash)('completion in bash', () => {
  it('offers our options, our commands and programs', () => {
    expect(offered('--log-l')).toEqual(['--log-level']);
    expect(offered('--log-level', 'd')).toEqual(['debug']);
    expect(offered('completion')).toEqual(['completions']);
    expect(offered('agent-wra')).toContain('agent-wrap');
  });

  it('offers files whatever their names are, and runs nothing of them', () => {
    expect(offered('--log-file', 'a')).toEqual(expect.arrayContaining(['a log $(touch gone).txt']));
    expect(spawnSync('ls', [folder], { encoding: 'utf8' }).stdout).not.toMatch(/^gone$/m);
  });
});
