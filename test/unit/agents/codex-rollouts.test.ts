import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { recentRollouts, rolloutsSince, threadOf } from '../../../src/agents/codex-rollouts.ts';
import { silentLog } from '../../../src/base/log.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';

describe('the rollout files of Codex', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'agent-wrap-rollouts-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const write = (path: string, text = '') => {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    return file;
  };
  const names = (files: string[]) => files.map((file) => basename(file)).sort();

  it('are recent if their day is today, or the one before or after: time zones differ', () => {
    for (const day of ['2026/12/30', '2026/12/31', '2027/01/01', '2027/01/02'])
      write(`${day}/rollout-${day.slice(-2)}.jsonl`);
    const files = recentRollouts(folder, Date.UTC(2027, 0, 1, 0, 30));
    expect(names(files)).toEqual(['rollout-01.jsonl', 'rollout-02.jsonl', 'rollout-31.jsonl']);
  });

  it('are none where Codex has written none', () => {
    expect(recentRollouts(join(folder, 'missing'), 0)).toEqual([]);
    expect(rolloutsSince(join(folder, 'missing'), 0)).toEqual([]);
  });

  it('may be of any day, and are told from other files by their names', () => {
    const old = write('2025/01/01/rollout-old.jsonl');
    utimesSync(old, 1_000, 1_000);
    write('2025/01/01/rollout-new.jsonl');
    write('2025/01/01/rollout-new.json');
    write('2025/01/01/index.jsonl');
    expect(names(rolloutsSince(folder, 1_000_001))).toEqual(['rollout-new.jsonl']);
    expect(names(rolloutsSince(folder, 1_000_000))).toEqual(['rollout-new.jsonl', 'rollout-old.jsonl']);
  });

  it('say in their first line, and nowhere else, whose they are', () => {
    const of = (...types: string[]) => {
      const lines = types.map((type) => JSON.stringify({ type, payload: { id: 'a', cwd: '/work' } }));
      const file = write('rollout-a.jsonl', `${lines.join('\n')}\n`);
      return threadOf(file, { clock: new FakeClock(), log: silentLog });
    };
    expect(of('session_meta', 'turn_context')).toMatchObject({ id: 'a', cwd: '/work' });
    expect(of('turn_context', 'session_meta')).toBeUndefined();
    expect(of()).toBeUndefined();
  });
});
