/** Keys that act, job control and sizes, as without us. terminal.md §2. */
import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { COMMAND, OuterTerminal } from '../helpers/outer-terminal.ts';
import { waitFor } from '../helpers/wait-for.ts';

let terminal: OuterTerminal | undefined;
afterEach(() => terminal?.dispose());

const stateOf = (pid: number) =>
  / ([A-Za-z]) /.exec(readFileSync(`/proc/${pid}/stat`, 'latin1').split(')').at(-1) ?? '')?.[1];

describe('keys act on the agent', () => {
  it('Ctrl-C interrupts it', async () => {
    terminal = OuterTerminal.wrap(['sh', '-c', 'echo ready; exec sleep 60']);
    await terminal.see('ready');
    terminal.write('\x03');
    expect(await terminal.end()).toBe(130);
  });
  it('Ctrl-\\ quits it', async () => {
    terminal = OuterTerminal.wrap(['sh', '-c', 'ulimit -c 0; echo ready; exec sleep 60']);
    await terminal.see('ready');
    terminal.write('\x1c');
    expect(await terminal.end()).toBe(131);
  });
  it('Ctrl-D ends its input', async () => {
    terminal = OuterTerminal.wrap(['sh', '-c', 'echo ready; cat; echo over']);
    await terminal.see('ready');
    terminal.write('\x04');
    await terminal.see('over');
    expect(await terminal.end()).toBe(0);
  });
  it('a raw agent gets Ctrl-C, Ctrl-Z and Ctrl-\\ as bytes', async () => {
    terminal = OuterTerminal.wrap(['sh', '-c', 'stty raw -echo; printf ready; head -c 3 | od -An -tx1']);
    await terminal.see('ready');
    terminal.write('\x03\x1a\x1c');
    expect(await terminal.end()).toBe(0);
    expect(terminal.text).toContain('03 1a 1c');
  });
});

describe('§2 Ctrl-Z and job control', () => {
  /** Like Claude Code: raw, and stops itself when it reads Ctrl-Z (claude-code #31264). */
  const agent = `
    process.stdin.setRawMode(true);
    process.stdin.on('data', (d) => {
      if (d.includes(26)) { process.stdout.write('stopping\\n'); process.kill(process.pid, 'SIGSTOP'); }
      else if (d.includes(113)) process.exit(9);
      else process.stdout.write('got:' + d + '\\n');
    });
    process.on('SIGCONT', () => process.stdin.setRawMode(true));
    process.stdout.on('resize', () => process.stdout.write('redrawn\\n'));
    process.stdout.write('up\\n');`;

  it('the shell is back when the agent stops itself, and fg resumes it', async () => {
    terminal = new OuterTerminal(['bash', '--norc', '-i'], { env: { PS1: 'PROMPT> ', AGENT: agent } });
    await terminal.see('PROMPT> ');
    terminal.write(`${COMMAND.join(' ')} --no-relay ${process.execPath} -e "$AGENT"\r`);
    await terminal.see(/up\r\n/);
    terminal.write('\x1a');
    await terminal.see(/stopping\r\n[\s\S]*Stopped[\s\S]*PROMPT> $/);
    terminal.write('echo cooked-$((40+2)); jobs\r');
    await terminal.see(/cooked-42\r\n[\s\S]*Stopped[\s\S]*PROMPT> $/);
    terminal.write('fg\r');
    await terminal.see(/cooked-42[\s\S]*redrawn/);
    terminal.write('x');
    await terminal.see('got:x');
    terminal.write('\x1a');
    await terminal.see(/got:x[\s\S]*Stopped[\s\S]*PROMPT> $/);
    terminal.write('fg\r');
    await terminal.see(/got:x[\s\S]*redrawn/);
    terminal.write('q');
    await terminal.see(/redrawn[\s\S]*PROMPT> $/);
    terminal.write('echo code-$?\r');
    await terminal.see('code-9');
    terminal.write('exit\r');
    await terminal.end();
  });

  it('a wrapper stopped from outside and continued is raw again', async () => {
    terminal = OuterTerminal.wrap(['sh', '-c', 'stty raw -echo; printf ready; head -c 1 | od -An -tx1']);
    await terminal.see('ready');
    const { pid } = terminal;
    process.kill(pid, 'SIGSTOP');
    await waitFor(() => stateOf(pid) === 'T', 'the stop');
    process.kill(pid, 'SIGCONT');
    await waitFor(() => stateOf(pid) !== 'T', 'the start');
    terminal.write('\x03');
    expect(await terminal.end()).toBe(0);
    expect(terminal.text).toContain('03');
  });

  it('the job control of a wrapped shell stays inside it', async () => {
    terminal = OuterTerminal.wrap(['bash', '--norc', '-i'], { env: { PS1: 'INNER> ' } });
    await terminal.see('INNER> ');
    terminal.write("sh -c 'echo job; exec sleep 60'\r");
    await terminal.see(/\rjob\r\n/);
    terminal.write('\x1a');
    await terminal.see(/Stopped[\s\S]*INNER> $/);
    expect(stateOf(terminal.pid)).not.toBe('T');
    process.kill(terminal.pid, 'SIGTERM'); // An interactive bash ignores it, so it is killed.
    expect(await terminal.end()).toBe(143);
  });
});

describe('size', () => {
  it('is that of the terminal, and follows it', async () => {
    terminal = OuterTerminal.wrap(
      ['sh', '-c', 'trap "stty size" WINCH; stty size; while :; do sleep 0.02; done'],
      { cols: 91, rows: 33 },
    );
    await terminal.see('33 91');
    terminal.resize(101, 35);
    await terminal.see('35 101');
    process.kill(terminal.pid, 'SIGTERM');
    await terminal.end();
  });
  it('is what --cols and --rows say', async () => {
    terminal = OuterTerminal.wrap(['--cols', '100', '--rows', '7', 'stty', 'size']);
    await terminal.end();
    expect(terminal.text).toBe('7 100\r\n');
  });
});
