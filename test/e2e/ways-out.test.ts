/** Every way out of the wrapper: exit code, terminal restored, nothing left. terminal.md §2. */
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { isAlive } from '../../src/base/is-alive.ts';
import { BINARY, COMMAND, FILE, LEADING, OuterTerminal } from '../helpers/outer-terminal.ts';
import { waitFor } from '../helpers/wait-for.ts';

const folder = mkdtempSync(join(tmpdir(), 'agent-wrap-out-'));
afterAll(() => rmSync(folder, { recursive: true }));

let terminal: OuterTerminal | undefined;
afterEach(() => terminal?.dispose());

const pidOf = async (of: OuterTerminal) => Number((await of.see(/pid (\d+)\r?\n/))?.[1]);

describe('§2 exit codes are those of script(1)', () => {
  for (const [agent, code] of [
    ['exit 0', 0],
    ['exit 3', 3],
    ['exit 255', 255],
    ['kill -TERM $$', 143],
    ['kill -SEGV $$', 139],
    ['kill -KILL $$', 137],
  ] as const) {
    it(`${agent} → ${code}`, async () => {
      const script = new OuterTerminal(['script', '-qefc', agent, '/dev/null']);
      terminal = OuterTerminal.wrap(['sh', '-c', agent]);
      expect([await terminal.end(), await script.end()]).toEqual([code, code]);
    });
  }
});

describe('what can be told before the fork', () => {
  const refused = async (args: string[], code: number, text: string) => {
    terminal = OuterTerminal.wrap(args);
    expect(await terminal.end()).toBe(code);
    expect(terminal.text).toContain(text);
  };
  it('an unknown program: 127', () => refused(['no-such-agent'], 127, 'AGENT_NOT_FOUND'));
  it('an unknown path: 127', () => refused(['./no/such'], 127, 'AGENT_NOT_FOUND'));
  it('a directory: 126', () => refused([folder], 126, 'AGENT_NOT_EXECUTABLE'));
  it('a file without the x bit: 126', () => {
    writeFileSync(join(folder, 'plain'), 'echo hi\n', { mode: 0o644 });
    return refused([join(folder, 'plain')], 126, 'permission denied');
  });
  it('a script whose interpreter is missing: 126', () => {
    writeFileSync(join(folder, 'bad'), '#!/no/such/sh\n', { mode: 0o755 });
    return refused([join(folder, 'bad')], 126, 'bad interpreter');
  });
  it('a script without #! is run by sh', async () => {
    const file = join(folder, 'bare');
    writeFileSync(file, 'echo "bare $1"; exit 4\n');
    chmodSync(file, 0o755);
    terminal = OuterTerminal.wrap([file, 'arg']);
    expect(await terminal.end()).toBe(4);
    expect(terminal.text).toBe('bare arg\r\n');
  });
  it('a directory that is gone: CWD_GONE', async () => {
    const gone = join(folder, 'gone');
    mkdirSync(gone);
    terminal = new OuterTerminal(['sh', '-c', `rmdir ${gone}; ${COMMAND.join(' ')} true`], {
      cwd: gone,
    });
    expect(await terminal.end()).toBe(1);
    expect(terminal.text).toContain('CWD_GONE');
  });
  it('a terminal of one column: TERMINAL_TOO_SMALL', async () => {
    terminal = OuterTerminal.wrap(['true'], { cols: 1, rows: 24 });
    expect(await terminal.end()).toBe(1);
    expect(terminal.text.replace(/\s/g, '')).toContain('TERMINAL_TOO_SMALL');
  });
});

describe('§2 the terminal is restored', () => {
  /** Runs the wrapper between two `stty -g`; both must say the same. */
  const restored = async (agent: string, act: (pid: number) => void, node: string[] = []) => {
    const quoted = [FILE, ...node, ...LEADING, '--no-relay', 'sh', '-c', agent].map((word) => `'${word}'`);
    terminal = new OuterTerminal(['sh', '-c', `stty -g; ${quoted.join(' ')}; echo "code $?"; stty -g`]);
    if (agent.includes('pid')) act(await pidOf(terminal));
    expect(await terminal.end()).toBe(0);
    const [before, after] = terminal.text.match(/^[0-9a-f]+(:[0-9a-f]+){10,}/gm) ?? [];
    expect(after).toBe(before);
    expect(before).toBeDefined();
    return Number(/code (\d+)/.exec(terminal.text)?.[1]);
  };
  it('after a normal end', async () => {
    expect(await restored('stty raw; exit 5', () => {})).toBe(5);
  });
  // $PPID of the agent is the wrapper.
  for (const [signal, code] of [
    ['SIGTERM', 143],
    ['SIGINT', 130],
    ['SIGQUIT', 131],
    ['SIGHUP', 129],
    ['SIGABRT', 134],
    ['SIGUSR2', 140],
    ['SIGSEGV', 139],
  ] as const) {
    it(`after ${signal} to the wrapper, exit code ${code}`, async () => {
      const run = restored('echo "pid $PPID"; exec sleep 60', (pid) => process.kill(pid, signal));
      expect(await run).toBe(code);
    });
  }
  it.skipIf(BINARY)('after a crash of ours', async () => {
    const crash = join(folder, 'crash.mjs');
    writeFileSync(crash, 'process.once("SIGPROF", () => { throw new Error("a bug"); });\n');
    const agent = 'echo "pid $PPID"; exec sleep 60';
    expect(await restored(agent, (pid) => process.kill(pid, 'SIGPROF'), ['--import', crash])).toBe(1);
  });
});

describe('§2 signals to the wrapper', () => {
  it('SIGTERM reaches the agent, which may clean up', async () => {
    terminal = OuterTerminal.wrap([
      'sh',
      '-c',
      'trap "echo cleaned; exit 7" TERM; echo "pid $$"; while :; do sleep 0.05; done',
    ]);
    await pidOf(terminal);
    process.kill(terminal.pid, 'SIGTERM');
    expect(await terminal.end()).toBe(143);
    expect(terminal.text).toContain('cleaned');
  });
  it('an agent that ignores SIGTERM is killed', async () => {
    terminal = OuterTerminal.wrap([
      'sh',
      '-c',
      'trap "" TERM HUP; echo "pid $$"; while :; do sleep 0.05; done',
    ]);
    const agent = await pidOf(terminal);
    process.kill(terminal.pid, 'SIGTERM');
    expect(await terminal.end()).toBe(143);
    expect(isAlive(agent)).toBe(false);
  });
  it('SIGTERM ends it also when nobody reads the terminal', async () => {
    terminal = OuterTerminal.wrap(['sh', '-c', 'echo "pid $$"; exec yes']);
    const agent = await pidOf(terminal);
    terminal.stall();
    await waitFor(() => /\) S /.test(readFileSync(`/proc/${agent}/stat`, 'latin1')), 'the agent to be held');
    const rss = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${terminal.pid}/status`, 'latin1'))?.[1];
    expect(Number(rss)).toBeLessThan(100_000);
    process.kill(terminal.pid, 'SIGTERM');
    // Our outer PTY reports the end only to a reader, so the process table is asked.
    const { pid } = terminal;
    await waitFor(() => !isAlive(agent), 'the end of the agent');
    await waitFor(() => !isAlive(pid), 'the end of the wrapper');
  });
  it('SIGKILL of the wrapper takes the agent with it', async () => {
    terminal = OuterTerminal.wrap(['sh', '-c', 'echo "pid $$"; exec sleep 60']);
    const agent = await pidOf(terminal);
    process.kill(terminal.pid, 'SIGKILL');
    expect(await terminal.end()).toBe(137);
    await waitFor(() => !isAlive(agent), 'the end of the agent');
  });
  it('a closed terminal: the agent hears SIGHUP, the wrapper dies by it, without a core', async () => {
    const heard = join(folder, 'heard');
    terminal = OuterTerminal.wrap([
      'sh',
      '-c',
      `trap "echo hup > ${heard}; exit" HUP; echo "pid $$"; while :; do sleep 0.05; done`,
    ]);
    const agent = await pidOf(terminal);
    terminal.close();
    await waitFor(() => terminal?.exit !== undefined, 'the end of the wrapper');
    expect(terminal.exit).toEqual({ exitCode: 0, signal: 1 });
    await waitFor(() => !isAlive(agent), 'the end of the agent');
    expect(readFileSync(heard, 'utf8')).toBe('hup\n');
  });
});
