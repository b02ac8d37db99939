/** In a real tmux an agent under the wrapper is the same as without it. Issue "Teams", tmux. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readCast } from '../../src/terminal/cast.ts';
import { COMMAND, OuterTerminal } from '../helpers/outer-terminal.ts';
import { hasTmux, TmuxServer } from '../helpers/tmux-server.ts';
import { waitFor } from '../helpers/wait-for.ts';

const FIXTURES = resolve(import.meta.dirname, '../../fixtures');
const AGENT = join(FIXTURES, 'agents/screen-agent.mjs');
const CASTS = readdirSync(join(FIXTURES, 'casts'), { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.cast'))
  .sort();
/** Paste, focus, mouse, extended keys, application cursor keys. */
const MODES = '\x1b[?2004h\x1b[?1004h\x1b[?1000h\x1b[?1006h\x1b[>4;2m\x1b[?1h';

let server: TmuxServer;
beforeEach(() => {
  server = new TmuxServer();
});
afterEach(() => server.close());

/** The same agent in two sessions of 80×24, without the wrapper and with it; both have drawn. */
async function twice(draw: string | Uint8Array) {
  const file = join(server.home, 'draw');
  writeFileSync(file, draw);
  const agent = (name: string) => [process.execPath, AGENT, file, join(server.home, name)];
  const open = (name: string, command: readonly string[]) =>
    server.tmux('new-session', '-d', '-s', name, '-x', '80', '-y', '25', '--', ...command);
  open('plain', agent('plain'));
  for (const [option, value] of [
    ['focus-events', 'on'],
    ['extended-keys', 'on'],
  ] as const)
    server.tmux('set-option', '-s', option, value);
  server.tmux('set-option', '-g', '-w', 'allow-passthrough', 'on');
  open('wrapped', [...COMMAND, '--name', 'ada', '--', ...agent('wrapped')]);
  for (const name of ['plain', 'wrapped'])
    await waitFor(() => server.show(name, '#{pane_title}') === 'drawn', `${name} to have drawn`);
}

const typedAt = (name: string): string => readFileSync(join(server.home, name), 'latin1');

/** The screen, where its cursor is, and the modes that tmux can tell. */
const seen = (name: string) => ({
  screen: server.capture(name),
  state: server.show(
    name,
    '#{cursor_x},#{cursor_y} #{alternate_on}#{cursor_flag}#{insert_flag}#{keypad_flag}#{keypad_cursor_flag}#{wrap_flag}#{origin_flag}#{mouse_any_flag}#{mouse_sgr_flag}#{mouse_button_flag}#{scroll_region_upper}-#{scroll_region_lower}',
  ),
});

describe.runIf(hasTmux)('inside tmux', () => {
  it.each(CASTS)('%s looks the same under the wrapper, and gets the same replies', async (cast) => {
    const { events } = await readCast(join(FIXTURES, 'casts', cast));
    let text = '';
    for await (const event of events) if (event.kind === 'o') text += event.text;
    // tmux answers after the title has changed: the last query's answer is what we wait for.
    await twice(`${text}\x1b[5n`);
    for (const name of ['plain', 'wrapped']) await waitFor(() => typedAt(name).endsWith('\x1b[0n'), name);
    expect(seen('wrapped')).toEqual(seen('plain'));
    // Whose window has the focus is tmux's affair, and changes while they start.
    const replies = (name: string) => typedAt(name).replace(/\x1b\[[IO]/g, '');
    expect(replies('wrapped')).toBe(replies('plain'));
    expect(seen('plain').screen.trim()).not.toBe('');
  });

  it('keys, extended keys and pastes arrive the same', async () => {
    await twice(MODES);
    server.tmux('set-buffer', '-b', 'text', 'two\nlines é 漢 🎉 \x1d;');
    const keys =
      'a;Enter;C-c;C-z;C-];x;C-];C-];M-x;M-Enter;Up;S-Up;C-Left;F1;F5;S-Tab;BSpace;DC;PPage;Home;é;漢;Escape;C-Space;C-\\;C-_;C-S-a;C-1';
    for (const name of ['plain', 'wrapped']) {
      for (const key of keys.split(';')) server.tmux('send-keys', '-t', name, key);
      server.tmux('paste-buffer', '-p', '-r', '-b', 'text', '-t', name);
      server.tmux('send-keys', '-t', name, '-l', 'end');
      await waitFor(() => typedAt(name).endsWith('end'), `${name} to have heard all keys`);
    }
    expect(typedAt('plain')).toContain('\x1b[200~two\nlines');
    expect(Buffer.from(typedAt('wrapped'), 'latin1').toString('hex')).toBe(
      Buffer.from(typedAt('plain'), 'latin1').toString('hex'),
    );
  });

  it('focus and mouse arrive the same', async () => {
    await twice(MODES);
    for (const name of ['plain', 'wrapped']) {
      const terminal = new OuterTerminal(['tmux', ...server.socket, 'attach-session', '-t', name], {
        env: server.env,
        rows: 25,
      });
      try {
        await waitFor(() => server.tmux('list-clients') !== '', 'the terminal to be attached');
        terminal.write('\x1b[I');
        await waitFor(() => typedAt(name).endsWith('\x1b[I'), 'focus in');
        terminal.write('\x1b[O');
        await waitFor(() => typedAt(name).endsWith('\x1b[O'), 'focus out');
        terminal.write('\x1b[<0;5;6M\x1b[<0;5;6mend');
        await waitFor(() => typedAt(name).endsWith('end'), 'the keys after the mouse');
      } finally {
        await terminal.dispose();
      }
    }
    expect(typedAt('plain')).toContain('\x1b[<0;5;6M');
    expect(typedAt('wrapped')).toBe(typedAt('plain'));
  });

  it('a sequence for the terminal outside goes out once and whole', async () => {
    const file = join(server.home, 'draw');
    const go = join(server.home, 'go');
    writeFileSync(file, '\x1bPtmux;\x1b\x1b]1337;Key=whole\x07\x1b\\');
    // The agent draws only when the terminal is there to see it.
    const script = `while [ ! -e ${go} ]; do sleep 0.05; done; exec ${process.execPath} ${AGENT} ${file} ${file}.typed`;
    server.tmux('new-session', '-d', '-s', 'wrapped', '--', ...COMMAND, '--', 'sh', '-c', script);
    server.tmux('set-option', '-g', '-w', 'allow-passthrough', 'on');
    const terminal = new OuterTerminal(['tmux', ...server.socket, 'attach-session'], { env: server.env });
    try {
      await waitFor(() => server.tmux('list-clients') !== '', 'the terminal to be attached');
      writeFileSync(go, '');
      await waitFor(() => existsSync(`${file}.typed`), 'the agent to begin');
      await terminal.see('\x1b]1337;Key=whole\x07');
      await waitFor(() => server.show('wrapped', '#{pane_title}') === 'drawn', 'the agent to have drawn');
      expect(terminal.text.split('1337;Key').length).toBe(2);
    } finally {
      await terminal.dispose();
    }
  });
});
