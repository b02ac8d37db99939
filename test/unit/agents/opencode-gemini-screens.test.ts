/** opencode 1.18.33 and Gemini CLI 0.61.0 as recorded: their states and input boxes at each moment. */
import { describe, expect, it } from 'vitest';
import type { InputBox, ScreenView, StateReader } from '../../../src/agents/adapter.ts';
import { geminiAsks, geminiInputBox, geminiTitle } from '../../../src/agents/gemini-screen.ts';
import { opencodeInputBox } from '../../../src/agents/opencode-screen.ts';
import { OpencodeState } from '../../../src/agents/opencode-state.ts';
import { SignalState } from '../../../src/agents/signal-state.ts';
import { silentLog } from '../../../src/base/log.ts';
import { type Moment, playCast } from '../../helpers/play-cast.ts';

const GEMINI = { title: geminiTitle, asks: geminiAsks, inputBox: geminiInputBox };

const AGENTS: [string, () => StateReader, (view: ScreenView) => InputBox | undefined][] = [
  ['opencode', () => new OpencodeState(silentLog), opencodeInputBox],
  ['gemini', () => new SignalState(GEMINI, silentLog), geminiInputBox],
];

const drafts = (moments: Moment[]) =>
  new Set(moments.flatMap(({ box }) => (box?.mode === 'prompt' ? [box.text] : [])));

describe.each(AGENTS)('%s as recorded', (agent, state, inputBox) => {
  it('is ready with an empty box when it has started', async () => {
    const moments = await playCast(`${agent}-startup-80x24`, state(), inputBox);
    expect(moments[0]?.state).toBe('starting');
    expect(moments.at(-1)?.state).toBe('ready');
    expect(moments.at(-1)?.box).toMatchObject({ text: '', mode: 'prompt' });
  });

  it('has a draft in its box while somebody types', async () => {
    const moments = await playCast(`${agent}-half-typed-80x24`, state(), inputBox);
    expect([...drafts(moments)].some((text) => text.startsWith('half typed by the user'))).toBe(true);
  });
});

describe('opencode as recorded', () => {
  it('works and is ready again, by its screen alone, when a message comes while it answers', async () => {
    const moments = await playCast(
      'opencode-inject-busy-80x24',
      new OpencodeState(silentLog),
      opencodeInputBox,
    );
    const busy = moments.filter(({ state }) => state === 'busy');
    expect(busy.length).toBeGreaterThan(0);
    for (const { screen } of busy) expect(screen).toContain('interrupt');
    expect(moments.at(-1)?.state).toBe('ready');
  });
});

describe('Gemini CLI as recorded', () => {
  it('asks: no box is seen on any screen with the question on it', async () => {
    const state = new SignalState(GEMINI, silentLog);
    const moments = await playCast('gemini-dialog-80x24', state, geminiInputBox);
    const asking = moments.filter(({ screen }) => /Allow execution of[^?]*\?/.test(screen));
    expect(asking.length).toBeGreaterThan(0);
    for (const moment of asking) expect(moment).toMatchObject({ state: 'dialog', box: undefined });
  });
});

/** A screen of these rows with the cursor at row and column. */
const screen = (rows: string[], row: number, column: number): ScreenView => ({
  rows: () => rows,
  cursor: { row, column },
  faint: () => false,
  bracketedPaste: true,
  alternateScreen: false,
});

describe("Gemini CLI's input box", () => {
  const footer = ['▀▀▀▀▀▀▀▀', ' workspace (/directory)', ' /home/tester'];
  const box = (rows: string[], row: number, column: number) =>
    geminiInputBox(screen(['✦ Hello', '', '▄▄▄▄▄▄▄▄', ...rows, ...footer], 3 + row, column));

  it('is empty behind its placeholder, also when it approves everything (YOLO)', () => {
    expect(box([' >   Type your message or @path/to/file'], 0, 3)).toEqual({ text: '', mode: 'prompt' });
    expect(box([' *   Type your message or @path/to/file'], 0, 3)).toEqual({ text: '', mode: 'prompt' });
  });

  it('holds a draft of several rows', () => {
    expect(box([' > one', '   two', '', '     four'], 3, 9)).toEqual({
      text: 'one\ntwo\n\n  four',
      mode: 'prompt',
    });
  });

  it.each([
    ['shell mode', ' !   Type your shell command', 3],
    ['a shell command', ' ! ls', 5],
    ['the search', ' (r:)    Type your message or @path/to/file', 7],
    ['a command', ' > /cl', 6],
    ['a list of files', ' > see @src', 11],
  ])('is not for a prompt in %s', (_, row, column) => {
    expect(box([row], 0, column)?.mode).toBe('other');
  });

  it('is not seen where the cursor is not in it', () => {
    const question = ['│ Allow execution of [Shell]?', '│ ● 1. Allow once', '╰─────', '', ''];
    expect(geminiInputBox(screen(question, 4, 0))).toBeUndefined();
    expect(geminiAsks(screen(question, 4, 0))).toBe(true);
  });
});

describe("opencode's input box", () => {
  const box = (rows: string[], row: number, column: number) => opencodeInputBox(screen(rows, row, column));
  const edge = ['  ┃', '  ┃  Build · m mock', '  ╹▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀'];

  it('names the agent it writes to', () => {
    expect(box(['  ┃', '  ┃', ...edge], 1, 5)).toEqual({ text: '', mode: 'prompt', agent: 'Build' });
  });

  it('is not for a prompt in shell mode, under a list, or behind a palette', () => {
    const shell = ['  ┃', '  ┃  ls', '  ┃', '  ┃  Shell', '  ╹▀▀▀▀▀▀▀▀▀'];
    expect(box(shell, 1, 7)?.mode).toBe('other');
    const list = ['  ┃ @explore            ┃', '  ┃', '  ┃  see @', ...edge];
    expect(box(list, 2, 11)?.mode).toBe('other');
    const palette = ['     Commands        esc', '  ┃', '  ┃', ...edge];
    expect(box(palette, 0, 12)?.mode).toBe('other');
  });

  it('is gone while a question stands in its place; a message that quotes one asks nothing', () => {
    const question = ['  ┃', '  ┃  △ Permission required', '  ┃    # Shell command', '  ┃', ''];
    expect(box(question, 4, 78)).toBeUndefined();
    const state = new OpencodeState(silentLog);
    state.screen(screen(['  ┃', '  ┃', ...edge], 1, 5));
    expect(state.state).toBe('ready');
    state.screen(screen(question, 4, 78));
    expect(state.state).toBe('dialog');
    state.screen(screen([...question, '  ┃', '  ┃', ...edge], 6, 5));
    expect(state.state).toBe('ready');
  });

  it('does not take a sidebar for its text', () => {
    const wide = [
      '  ┃',
      '  ┃  draft                       Context',
      '  ┃',
      '  ┃  Build · m mock',
      edge[2] ?? '',
    ];
    expect(box(wide, 1, 10)?.text).toBe('draft');
  });
});
