import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { EXTRACT_CASES } from '../helpers/extract-cases.ts';
import { castFile } from '../helpers/play.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

function extract(args: string[], input = '') {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', 'tsx', MAIN, 'extract', ...args],
    {
      input,
      encoding: 'utf8',
    },
  );
  const directives = stdout.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line)] : []));
  return { status, stdout, stderr, directives };
}

const NAMES = [
  'two_blocks_then_inline',
  'bad_json_block_then_inline',
  'giant_block_600k',
  'streaming_partial_rerender',
];

describe('agent-wrap extract', () => {
  it.each(EXTRACT_CASES.filter((one) => NAMES.includes(one.name)))(
    '--format raw finds $name, whole and byte by byte',
    ({ input, expected }) => {
      for (const chunk of [[], ['--chunk', '1']]) {
        const { status, directives } = extract(
          ['--format', 'raw', '--cols', '80', '--rows', '24', ...chunk],
          input,
        );
        expect(status).toBe(0);
        expect(directives).toEqual(expected);
      }
    },
  );

  it('says on stderr which block it refused and why, and exits 0', () => {
    const { status, stderr, directives } = extract(
      ['-'],
      'x\n[[RELAY]]\n{"to": bob}\n[[/RELAY]]\n>>relay:al ok\n',
    );
    expect(status).toBe(0);
    expect(directives).toEqual([{ to: 'al', kind: 'message', body: 'ok' }]);
    expect(stderr).toMatch(/at 2: it is not valid JSON .*\[BLOCK_INVALID\]/);
  });

  it('--text shows the escape as the literal it means (P25)', () => {
    const input = '\x1b[1m\\>>relay:bob not sent\x1b[0m\n';
    for (const format of ['text', 'raw']) {
      expect(extract(['--text', '--format', format], input).stdout).toBe('>>relay:bob not sent\n');
    }
  });

  it('--format cast plays a recording with its own size and time', () => {
    const { directives } = extract(['--format', 'cast', castFile('codex/relay-raw-noalt')]);
    expect(directives).toHaveLength(10);
  });

  it('--format cast does not take what was typed for speech', () => {
    const cast = [
      { version: 2, width: 80, height: 24 },
      [0.1, 'i', '>>relay:bob typed\r'],
      [0.2, 'o', '>>relay:bob typed\r\n'],
      [0.3, 'o', '>>relay:bob said\r\n'],
    ];
    const input = cast.map((line) => JSON.stringify(line)).join('\n');
    expect(extract(['--format', 'cast'], input).directives.map((one) => one.body)).toEqual(['said']);
  });

  it.each([
    [['/nowhere/at/all'], 'FILE_UNREADABLE'],
    [['--format', 'cast'], 'FILE_UNREADABLE'],
    [['--chunk', '0'], 'above 0'],
    [['--cols', '1'], 'between 2 and 1000'],
  ])('a wrong call is told so: %j', (args, message) => {
    const { status, stderr } = extract(args);
    expect(status).not.toBe(0);
    expect(stderr).toContain(message);
  });
});
