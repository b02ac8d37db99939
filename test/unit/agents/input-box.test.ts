import { describe, expect, it } from 'vitest';
import type { ScreenView } from '../../../src/agents/adapter.ts';
import { claudeAsks, claudeInputBox } from '../../../src/agents/claude-screen.ts';
import { codexAsks, codexInputBox } from '../../../src/agents/codex-screen.ts';

/** A screen drawn by hand; `|` is the cursor, `~` before a row means that its text is faint. */
function screen(...drawn: string[]): ScreenView {
  const row = drawn.findIndex((line) => line.includes('|'));
  const faint = drawn.map((line) => line.startsWith('~'));
  const column = (drawn[row] ?? '').replace(/^~/, '').indexOf('|');
  const rows = drawn.map((line) => line.replace(/^~/, '').replace('|', '').trimEnd());
  return {
    rows: () => rows,
    cursor: { row, column },
    faint: (at) => faint[at] === true,
    bracketedPaste: true,
    alternateScreen: true,
  };
}

const RULE = '─'.repeat(40);

describe('the input box of Claude Code', () => {
  it.each([
    ['empty', ['❯ |'], { text: '', mode: 'prompt' }],
    ['a suggestion', ['~❯ |Try "fix it"'], { text: '', mode: 'prompt' }],
    ['a draft of two rows', ['❯ one', '  two|'], { text: 'one\ntwo', mode: 'prompt' }],
    ['a draft with the cursor at its start', ['❯ |one'], { text: 'one', mode: 'prompt' }],
    ['shell mode', ['! |'], { text: '', mode: 'other' }],
    ['a command', ['❯ /cle|'], { text: '/cle', mode: 'other' }],
  ] as const)('%s', (_name, box, expected) => {
    const view = screen('● said', '', RULE, ...box, RULE, '  ? for shortcuts');
    expect(claudeInputBox(view)).toEqual(expected);
  });

  it('is not typed into while the cursor is elsewhere', () => {
    const view = screen(RULE, '❯ ', RULE, '  search prompts: |');
    expect(claudeInputBox(view)?.mode).toBe('other');
  });

  it('is gone when a question stands in its place, and only then is it a question', () => {
    const question = screen(RULE, ' Do you want to proceed?', '|❯ 1. Yes', '   2. No');
    expect(claudeInputBox(question)).toBeUndefined();
    expect(claudeAsks(question)).toBe(true);
    expect(claudeAsks(screen('❯ 1. a prompt that begins so', RULE, '❯ |', RULE))).toBe(false);
  });
});

describe('the composer of Codex', () => {
  const status = ['', '  gpt-x default · /work', '  ? for shortcuts'];

  it.each([
    ['empty', ['~› |Ask Codex to do anything'], { text: '', mode: 'prompt' }],
    ['a draft', ['› one|'], { text: 'one', mode: 'prompt' }],
    ['a draft of the words of the placeholder', ['› |Ask Codex to do anything'], undefined],
    ['a draft with a blank row', ['› one', '', '  two|'], { text: 'one\n\ntwo', mode: 'prompt' }],
    ['shell mode', ['! |'], { text: '', mode: 'other' }],
    ['a command', ['› /mod|'], { text: '/mod', mode: 'other' }],
  ] as const)('%s', (_name, box, expected) => {
    const view = screen('› an older prompt', '', '• said', '', ...box, ...status);
    expect(codexInputBox(view)).toEqual(expected ?? { text: 'Ask Codex to do anything', mode: 'prompt' });
  });

  it('is not typed into while the cursor is elsewhere', () => {
    const view = screen('› ', '', '  gpt-x default · /work', '  reverse-i-search: |');
    expect(codexInputBox(view)?.mode).toBe('other');
  });

  it('is gone when a question stands in its place, and only then is it a question', () => {
    const choices = ['› 1. Yes, proceed (y)', '  2. No', '', '  Press enter to confirm or esc to cancel|'];
    const question = screen('  Would you like to run the following command?', '', ...choices);
    expect(codexInputBox(question)).toBeUndefined();
    expect(codexAsks(question)).toBe(true);
    const prompt = screen('› 1. Yes', '  Would you like to run', '', '~› |Ask', ...status);
    expect(codexAsks(prompt)).toBe(false);
  });
});
