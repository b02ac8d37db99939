import { Chalk } from 'chalk';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RelayEvent } from '../../../src/protocol/relay-event.ts';
import { cells } from '../../../src/watch/cells.ts';
import { type Happening, happen, initialState, type WatchedAgent } from '../../../src/watch/model.ts';
import { renderWatch } from '../../../src/watch/render.ts';

const plain = new Chalk({ level: 0 });

const agent = (name: string, more: Partial<WatchedAgent> = {}): WatchedAgent => ({
  name,
  state: 'active',
  queueDepth: 0,
  inflight: 0,
  ...more,
});
const message = (id: string, from: string, to: string): RelayEvent => ({
  type: 'message',
  id,
  from,
  to,
  at: new Date(2026, 0, 1, 12, 30, 5).getTime(),
  size: 42,
});
const fate = (id: string, to: string, how: 'delivered' | 'dead', code?: string): RelayEvent => ({
  type: 'fate',
  id,
  from: 'ada',
  to,
  fate: how,
  at: 0,
  ...(code === undefined ? {} : { code }),
});

const after = (happenings: readonly Happening[]) =>
  happenings.reduce((state, happening) => happen(state, happening).state, initialState('shop'));
const rowsAfter = (happenings: readonly Happening[], cols = 80, rows = 24) =>
  renderWatch(after(happenings), { cols, rows }, plain);

const TEAM: Happening = {
  type: 'agents',
  agents: [
    agent('ada', { status: 'busy', speech: 'hook', queueDepth: 3, inflight: 1 }),
    agent('bob', { status: 'ready', waitsFor: 'held' }),
    agent('eve', { state: 'disconnected' }),
  ],
};

describe('the screen of watch, 80×24', () => {
  it('shows agents, what they do and what waits, then messages and what became of them', () => {
    const rows = rowsAfter([
      TEAM,
      { type: 'event', event: message('1', 'ada', 'bob') },
      { type: 'event', event: fate('1', 'bob', 'delivered') },
      { type: 'body', id: '1', body: 'two\nlines' },
      { type: 'event', event: message('2', 'ada', '*') },
      { type: 'event', event: fate('2', 'bob', 'delivered') },
      { type: 'event', event: fate('2', 'eve', 'dead', 'EXPIRED') },
      { type: 'event', event: message('3', 'ada', 'zed') },
    ]);
    expect(rows.map((row) => row.trimEnd())).toEqual([
      ' relay shop · 3 agents · 3 messages · 3 waiting',
      '  AGENT             STATE       WAITS FOR  QUEUE INFLIGHT SPEECH',
      '▸ ada               busy                   3     1        hook',
      '  bob               ready       held       0     0',
      '  eve               disconnected           0     0',
      `── messages ${'─'.repeat(68)}`,
      '12:30:05 delivered  ada → bob: two ⏎ lines',
      '12:30:05 1 dead     ada → all: 42 bytes',
      '12:30:05 waiting    ada → zed: 42 bytes',
      ...Array.from({ length: 14 }, () => ''),
      ' q quit  ↑↓ choose  s send  b to all  f screen  h hold  r release',
    ]);
  });

  it('shows the screen of the agent that is followed, its last rows if it is larger', () => {
    const text = Array.from({ length: 40 }, (_, i) => `row ${i}`);
    const screen = (rows: string[], row: number): Happening => ({
      type: 'screen',
      agent: 'ada',
      frame: { cols: 120, rows: 40, text: rows, cursor: { row, column: 0 } },
    });
    const follow: Happening = { type: 'key', key: { name: 'character', text: 'f' } };
    const shown = (...happenings: Happening[]) =>
      rowsAfter([TEAM, follow, ...happenings], 60, 12).map((row) => row.trimEnd());
    expect(shown()[5]).toMatch(/^── ada · its wrapper shows no screen \(yet\) ─+$/);
    const rows = shown(screen(text, 39));
    expect(rows.slice(0, 5)).toEqual(shown().slice(0, 5));
    expect(rows.slice(5)).toEqual([
      expect.stringMatching(/^── ada · 120×40 ─+$/),
      ...text.slice(-5),
      ' Esc back  q quit  ↑↓ choose  s send  b to all  h hold  r r…',
    ]);
    // Where one types is in sight, and what is no text does nothing.
    expect(shown(screen(text, 2))[6]).toBe('row 2');
    expect(shown(screen(['a\x1b[2Jb', ...Array.from({ length: 39 }, () => '')], 0))[6]).toBe('a[2Jb');
  });

  it('says that nobody hosts the relay, and that something was missed', () => {
    expect(rowsAfter([TEAM, { type: 'unreachable' }])[0]).toContain('nobody hosts it');
    expect(rowsAfter([TEAM, { type: 'event', event: { type: 'gap' } }])[0]).toContain(
      '1 times something was missed',
    );
  });

  it('keeps the chosen agent in sight however many there are', () => {
    const agents = Array.from({ length: 100 }, (_, i) => agent(`agent-${i}`));
    const down: Happening = { type: 'key', key: { name: 'down' } };
    for (const steps of [0, 50, 99, 150]) {
      const rows = rowsAfter([{ type: 'agents', agents }, ...Array.from({ length: steps }, () => down)]);
      expect(rows.filter((row) => row.startsWith('▸')).map((row) => row.split(' ')[1])).toEqual([
        `agent-${Math.min(steps, 99)}`,
      ]);
    }
  });

  it('shows the end of a long line that is being typed', () => {
    const typed: Happening = { type: 'key', key: { name: 'character', text: `${'漢'.repeat(100)}end` } };
    const rows = rowsAfter([TEAM, { type: 'key', key: { name: 'enter' } }, typed]);
    expect(rows.at(-1)).toMatch(/^ to ada: 漢+end▏ ?$/);
  });
});

const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom(
    '\x1b[2J',
    '\x1b]0;x\x07',
    '漢字',
    '👩‍💻',
    'e\u0301',
    '\u202eabc',
    '\r\n',
    '❤️',
    '\u009b31m',
  ),
);
const frame = fc.record({
  cols: fc.nat(100),
  rows: fc.nat(30),
  text: fc.array(text),
  cursor: fc.record({ row: fc.nat(30), column: fc.nat(100) }),
});
const happening: fc.Arbitrary<Happening> = fc.oneof(
  fc.record({
    type: fc.constant('agents' as const),
    agents: fc.array(
      fc.record({
        name: text,
        state: text,
        status: text,
        waitsFor: text,
        speech: text,
        queueDepth: fc.nat(),
        inflight: fc.nat(),
      }),
    ),
  }),
  fc
    .tuple(text, text, text)
    .map(([id, from, to]): Happening => ({ type: 'event', event: message(id, from, to) })),
  fc.tuple(text, text).map(([id, to]): Happening => ({ type: 'event', event: fate(id, to, 'dead', to) })),
  fc.tuple(text, text).map(([id, body]): Happening => ({ type: 'body', id, body })),
  text.map((notice): Happening => ({ type: 'notice', text: notice })),
  text.map(
    (typed): Happening => ({ type: 'key', key: { name: 'character', text: typed.replace(/\p{C}/gu, '') } }),
  ),
  fc.constant<Happening>({ type: 'key', key: { name: 'character', text: 'f' } }),
  fc
    .constantFrom('up', 'down', 'enter', 'escape', 'backspace')
    .map((name): Happening => ({ type: 'key', key: { name } })),
);

describe('whatever names and bodies hold', () => {
  it('every row is as wide as the screen, and none holds a control character', () => {
    fc.assert(
      fc.property(
        fc.array(happening, { maxLength: 12 }),
        fc.option(frame, { nil: undefined }),
        fc.integer({ min: 1, max: 100 }),
        fc.integer({ min: 1, max: 30 }),
        (happenings, frame, cols, rows) => {
          const state = after(happenings);
          const followed = state.followed && { ...state.followed, frame };
          const screen = renderWatch({ ...state, followed }, { cols, rows }, plain);
          expect(screen).toHaveLength(rows);
          for (const row of screen) {
            expect(cells(row)).toBe(cols);
            expect(row).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/);
          }
        },
      ),
    );
  });
});
