/** Recordings by `--record`, and `replay`. docs/records.md. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CastEvent, type CastHeader, readCast } from '../../src/terminal/cast.ts';
import { COMMAND, OuterTerminal } from '../helpers/outer-terminal.ts';
import { waitFor } from '../helpers/wait-for.ts';

let home: string;
let terminals: OuterTerminal[];

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'agent-wrap-record-'));
  terminals = [];
});

afterEach(async () => {
  for (const terminal of terminals) await terminal.dispose();
  rmSync(home, { recursive: true, force: true });
});

const file = () => join(home, 'session.cast');
const recorded = () => readFileSync(file(), 'utf8');

function wrapped(...args: string[]): OuterTerminal {
  const terminal = OuterTerminal.wrap(['--log-file', join(home, 'log'), '--record', file(), ...args]);
  terminals.push(terminal);
  return terminal;
}

async function read(): Promise<{ header: CastHeader; events: CastEvent[] }> {
  const { header, events } = await readCast(file());
  const all: CastEvent[] = [];
  for await (const event of events) all.push(event);
  return { header, events: all };
}

const textOf = (events: CastEvent[], kind: 'o' | 'i'): string =>
  events.map((event) => (event.kind === kind ? event.text : '')).join('');

describe('--record', () => {
  it('keeps what was shown, to the byte, and the size as it changed', async () => {
    const terminal = wrapped('sh', '-c', 'printf "é€😀\\n"; read line; stty size');
    await terminal.see('😀');
    terminal.resize(100, 30);
    await waitFor(() => recorded().includes('"100x30"'), 'the resize');
    terminal.write('never in it\n');
    expect(await terminal.end()).toBe(0);
    const { header, events } = await read();
    expect(header).toMatchObject({ version: 2, width: 80, height: 24 });
    expect(header.command).toContain('sh -c printf');
    expect(textOf(events, 'o')).toBe(terminal.text);
    expect(textOf(events, 'i')).toBe('');
  });

  it('leaves a readable file when the wrapper is killed', async () => {
    const terminal = wrapped('sh', '-c', 'echo here; sleep 60');
    await terminal.see('here');
    await waitFor(() => recorded().includes('"o","here'), 'the recording');
    process.kill(terminal.pid, 'SIGKILL');
    await terminal.end();
    expect(textOf((await read()).events, 'o')).toContain('here');
  });

  it('does not replace a file, and says so before the agent starts', async () => {
    const first = wrapped('true');
    expect(await first.end()).toBe(0);
    const second = wrapped('sh', '-c', 'echo started');
    expect(await second.end()).toBe(1);
    expect(second.text).toContain('FILE_UNWRITABLE');
    expect(second.text).not.toContain('started');
  });
});

describe('--record-input', () => {
  it('keeps what is typed, but no secret typed at a prompt without echo', async () => {
    const terminal = wrapped(
      '--record-input',
      'bash',
      '-c',
      'echo go; read a; read -rsp "Password: " b; echo; read c; echo done',
    );
    await terminal.see('go');
    // The first answer about the terminal comes within milliseconds; what is typed before it is left out.
    await waitFor(() => {
      terminal.write('x');
      return recorded().includes('"i","x');
    }, 'input in the recording');
    terminal.write('\n');
    await terminal.see('Password: ');
    for (const key of 'hunter2\n') terminal.write(key);
    await terminal.see(/Password: \r\n/);
    await waitFor(() => {
      terminal.write('z');
      return recorded().includes('"i","z');
    }, 'input after the prompt');
    terminal.write('\n');
    expect(await terminal.end()).toBe(0);
    expect(recorded()).not.toMatch(/hunter2|"i","[hunter2]/);
    expect(readFileSync(join(home, 'log'), 'utf8')).toContain('record.withheld');
  });

  it('needs --record', async () => {
    const terminal = OuterTerminal.wrap(['--record-input', 'true']);
    terminals.push(terminal);
    expect(await terminal.end()).toBe(2);
  });
});

describe('agent-wrap replay', () => {
  it('shows again what was recorded', async () => {
    expect(await wrapped('printf', 'one\\ntwo\\n').end()).toBe(0);
    const player = new OuterTerminal([...COMMAND, 'replay', '--speed', '100', file()]);
    terminals.push(player);
    expect(await player.end()).toBe(0);
    expect(player.text).toContain('one\r\ntwo\r\n');
  });

  it('names the line of a broken recording', async () => {
    const player = new OuterTerminal([...COMMAND, 'replay', join(import.meta.dirname, 'record.test.ts')]);
    terminals.push(player);
    expect(await player.end()).toBe(1);
    expect(player.text).toContain('line 1 of the recording is broken');
  });

  it('says that there is no such file', async () => {
    const player = new OuterTerminal([...COMMAND, 'replay', join(home, 'none.cast')]);
    terminals.push(player);
    expect(await player.end()).toBe(1);
    expect(player.text).toContain('FILE_UNREADABLE');
  });
});
