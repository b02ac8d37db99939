import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type BriefOptions, briefingFor } from '../../../src/cli/brief.ts';

describe('the briefing of a wrapped agent', () => {
  let folder: string;
  let file: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'agent-wrap-brief-'));
    file = join(folder, 'brief.txt');
    writeFileSync(file, 'You may speak.');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const text = async (options: BriefOptions, ...command: string[]) =>
    (await briefingFor(options, command, 'default'))?.('ada');

  it('is given to an agent that we know, with its name, through whatever runs it', async () => {
    expect(await text({}, '/usr/bin/claude')).toContain('ada');
    expect(await text({}, 'npx', '@openai/codex')).toContain('ada');
    expect(await text({ profile: 'gemini' }, './mine.sh')).toContain('ada');
  });

  it('is typed to another only if that was asked for', async () => {
    expect(await text({}, 'bash')).toBeUndefined();
    expect(await text({ profile: 'generic' }, 'claude')).toBeUndefined();
    expect(await text({ brief: true }, 'bash')).toContain('ada');
  });

  it('is the text of a file, also for an agent that we do not know; and none with --no-brief', async () => {
    expect(await text({ briefFile: file }, 'bash')).toBe('You may speak.');
    expect(await text({ briefFile: file, brief: false }, 'claude')).toBeUndefined();
  });

  it('is refused where the file cannot be read', async () => {
    await expect(text({ briefFile: join(folder, 'missing') }, 'bash')).rejects.toMatchObject({
      code: 'FILE_UNREADABLE',
    });
  });
});
