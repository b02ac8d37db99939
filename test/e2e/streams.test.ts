/** stdin and stdout as pipes and files (CI): no raw mode, everything else works. Also the command line. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { COMMAND, FILE, LEADING } from '../helpers/outer-terminal.ts';

const folder = mkdtempSync(join(tmpdir(), 'agent-wrap-streams-'));
afterAll(() => rmSync(folder, { recursive: true }));

const wrap = (args: string[], input: string | Buffer = '', env: NodeJS.ProcessEnv = process.env) =>
  spawnSync(FILE, [...LEADING, ...args], { input, env, timeout: 30_000, maxBuffer: 64e6 });

describe('stdin and stdout may be pipes or files', () => {
  it('the end of a piped input is the end of the agent’s', () => {
    const { stdout, status } = wrap(['--no-relay', 'sh', '-c', 'stty -echo; cat'], 'one\ntwo\n');
    expect([stdout.toString().replace(/^(one\r\ntwo\r\n)(?=one)/, ''), status]).toEqual([
      'one\r\ntwo\r\n',
      0,
    ]);
  });
  it('also after a line without its end, where script(1) hangs', () => {
    const { stdout, status } = wrap(['--no-relay', 'cat'], 'abc');
    expect([stdout.toString(), status]).toEqual(['abcabc', 0]);
  });
  it('5 MB through a pipe are complete', () => {
    const { stdout, status } = wrap(['--no-relay', 'sh', '-c', 'head -c 5000000 /dev/zero']);
    expect([stdout.length, status]).toEqual([5_000_000, 0]);
  });
  it('a file is written from where it stands, and appended to', () => {
    const file = join(folder, 'out');
    writeFileSync(file, 'before\n');
    const command = `exec >> ${file}; echo 1; ${COMMAND.join(' ')} --no-relay seq 1 4000; echo 2`;
    spawnSync('sh', ['-c', command], { stdio: ['ignore', 'inherit', 'inherit'] });
    const numbers = Array.from({ length: 4000 }, (_, i) => `${i + 1}\r\n`).join('');
    expect(readFileSync(file, 'utf8')).toBe(`before\n1\n${numbers}2\n`);
    const at = openSync(join(folder, 'at'), 'w');
    spawnSync('sh', ['-c', `echo 1; ${COMMAND.join(' ')} --no-relay echo x; echo 2`], {
      stdio: ['ignore', at, 'ignore'],
    });
    expect(readFileSync(join(folder, 'at'), 'utf8')).toBe('1\nx\r\n2\n');
  });
  it('an input file is read to its end', () => {
    const file = join(folder, 'in');
    writeFileSync(file, 'hello\n');
    const { stdout } = spawnSync(FILE, [...LEADING, '--no-relay', 'cat'], {
      stdio: [openSync(file, 'r'), 'pipe', 'inherit'],
    });
    expect(stdout.toString()).toBe('hello\r\nhello\r\n');
  });
  it('a reader that leaves hangs the agent up', async () => {
    const child = spawn(FILE, [...LEADING, '--no-relay', 'yes'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    child.stdout.once('data', () => child.stdout.destroy());
    const code = await new Promise((resolve) => child.once('exit', resolve));
    expect(code).toBe(129);
  });
  it('a reader that leaves when all is said does not change the exit code', async () => {
    const child = spawn(FILE, [...LEADING, '--no-relay', 'sh', '-c', 'head -c 300000 /dev/zero; exit 4'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    child.stdout.on('data', () => {});
    expect(await new Promise((resolve) => child.once('exit', resolve))).toBe(4);
  });
  it('the size is COLUMNS × LINES, else 80 × 24', () => {
    const { COLUMNS: _c, LINES: _l, ...env } = process.env;
    expect(wrap(['--no-relay', 'stty', 'size'], '', env).stdout.toString()).toBe('24 80\r\n');
    expect(
      wrap(['--no-relay', 'stty', 'size'], '', { ...env, COLUMNS: '99', LINES: '11' }).stdout.toString(),
    ).toBe('11 99\r\n');
  });
});

describe('environment and command line', () => {
  it('the agent has the person’s environment and directory', () => {
    const env = { ...process.env, ODD: 'a=b\n c', EMPTY: '' };
    const { stdout } = spawnSync(
      FILE,
      [...LEADING, '--no-relay', 'node', '-p', 'JSON.stringify([process.env, process.cwd()])'],
      { cwd: folder, env },
    );
    const [seen, cwd] = JSON.parse(stdout.toString());
    expect(cwd).toBe(folder);
    expect(seen).toEqual(env);
  });
  it('arguments after the agent are the agent’s, also those that look like ours', () => {
    const shown = ['--no-relay', 'printf', '%s|', '--name', '--help', '--', '-x', ''];
    expect(wrap(shown).stdout.toString()).toBe('--name|--help|--|-x||');
    expect(wrap(['--no-relay', '--', 'printf', '%s|', '--cols', 'x']).stdout.toString()).toBe('--cols|x|');
  });
  for (const [args, complaint] of [
    [['--cols', '0', 'true'], '--cols'],
    [['--rows', 'many', 'true'], '--rows'],
    [['--inject', 'magic', 'true'], 'keys, native, off'],
    [['--log-level', 'loud', 'true'], 'debug, info'],
    [['--name', 'a b', 'true'], '--name'],
    [['--namespace', 'A', 'true'], '--namespace'],
    [['--wat', 'true'], '--wat'],
    [['--cols'], '--cols'],
    [[], 'agent'],
  ] as const) {
    it(`wrong: agent-wrap ${args.join(' ')}`, () => {
      const { status, stderr } = wrap([...args]);
      expect([status, stderr.toString()]).toEqual([2, expect.stringContaining('[USAGE]')]);
      expect(stderr.toString()).toContain(complaint);
    });
  }
  it('--version and --help', () => {
    expect(wrap(['--version']).stdout.toString()).toMatch(/^\d+\.\d+\.\d+\n$/);
    const help = wrap(['--help']);
    expect([help.status, help.stdout.toString()]).toEqual([0, expect.stringContaining('Examples:')]);
  });
});
