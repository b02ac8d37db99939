import { describe, expect, it } from 'vitest';
import type { CastEvent } from '../../../src/terminal/cast.ts';
import { EXTRACT_CASES } from '../../helpers/extract-cases.ts';
import { everyByte, frames, play, playFile, playText } from '../../helpers/play.ts';

const HIDE = '\x1b[?25l';
const CLEAR = '\x1b[2J\x1b[H';

describe('the shared cases, as a terminal stream', () => {
  it.each(EXTRACT_CASES)('$name, whole and byte by byte', async ({ input, expected }) => {
    for (const cut of [undefined, everyByte]) {
      const { directives } = await playText(input, { convertEol: true, ...(cut ? { cut } : {}) });
      expect(directives).toEqual(expected);
    }
  });
});

/** A TUI that erases its live area and prints it again for each frame, with an input box below (Ink). */
function inkLike(messages: readonly string[]): string[] {
  const box = ['╭──────╮', '│ >    │', '╰──────╯'];
  const out: string[] = [HIDE];
  let height = 0;
  const draw = (done: string | undefined, live: string) => {
    const rows = [...(live === '' ? [] : [live]), ...box];
    const erase = height === 0 ? '' : `\x1b[2K${'\x1b[1A\x1b[2K'.repeat(height - 1)}\x1b[G`;
    out.push(`${erase}${done === undefined ? '' : `${done}\r\n`}${rows.join('\r\n')}`);
    height = rows.length;
  };
  for (const message of messages) {
    for (let at = 3; at < message.length + 3; at += 3) draw(undefined, message.slice(0, at));
    draw(message, '');
  }
  return out;
}

/** A TUI that keeps the alternate screen and writes the changed cells only (ratatui). */
function cellDiff(messages: readonly string[], rows = 24): string[] {
  const out = [`\x1b[?1049h${HIDE}${CLEAR}`];
  let shown: string[] = [];
  const draw = (text: readonly string[]) => {
    const next = [
      ...text.slice(-(rows - 3)),
      ...Array(Math.max(0, rows - 3 - text.length)).fill(''),
      '────',
      '> ',
    ];
    let frame = '';
    next.forEach((line, y) => {
      const before = shown[y] ?? '';
      for (let x = 0; x < Math.max(line.length, before.length); x++) {
        if (line[x] !== before[x]) frame += `\x1b[${y + 1};${x + 1}H${line[x] ?? ' '}`;
      }
    });
    shown = next;
    out.push(frame);
  };
  messages.forEach((message, index) => {
    for (let at = 3; at < message.length + 3; at += 3)
      draw([...messages.slice(0, index), message.slice(0, at)]);
  });
  return out;
}

const MESSAGES = Array.from({ length: 40 }, (_, at) => `>>relay:bob message ${at} of forty, streamed`);

/** 33 ms a frame; a stall of the model in mid-line, ten times. */
const streamed = (texts: readonly string[], stall: number): CastEvent[] => {
  let time = 0;
  return texts.map((text, at) => {
    time += at % 60 === 31 ? stall : 0.033;
    return { time, kind: 'o', text };
  });
};

describe('terminal.md §3b: 40 messages, 3 characters a frame', () => {
  it.each([
    ['erased and redrawn (Ink-like)', inkLike(MESSAGES)],
    ['changed cells only', cellDiff(MESSAGES)],
  ])('are heard once each, and nothing else: %s', async (_what, texts) => {
    for (const stall of [0.033, 0.4, 0.9]) {
      const { directives } = await play(streamed(texts, stall));
      expect(directives.map((one) => `>>relay:bob ${one.body}`)).toEqual(MESSAGES);
    }
  });
});

describe('terminal.md §3d: each line that was really produced, once', () => {
  const two = '>>relay:bob ok\r\nworking\r\n>>relay:bob ok\r\n';

  it('counts an honest second "ok" twice, printed, drawn or scrolled', async () => {
    for (const start of ['', HIDE, `\x1b[?1049h${HIDE}`]) {
      expect((await playText(start + two)).directives).toHaveLength(2);
    }
    const slow = frames([HIDE, '>>relay:bob ok\r\n', 'working\r\n', '>>relay:bob ok\r\n'], 2);
    expect((await play(slow)).directives).toHaveLength(2);
    const scrolled = frames(
      [HIDE, '>>relay:bob ok\r\n', 'x\r\n'.repeat(50), '>>relay:bob ok\r\n', 'y\r\n'.repeat(50)],
      2,
    );
    expect((await play(scrolled)).directives).toHaveLength(2);
  });

  it('hears all of a flood that scrolls through in no time, in order', async () => {
    const many = Array.from({ length: 5000 }, (_, at) => `>>relay:bob ${at}\r\n`).join('');
    const { directives } = await playText(HIDE + many);
    expect(directives.map((one) => Number(one.body))).toEqual(Array.from({ length: 5000 }, (_, at) => at));
  });

  it.each([
    ['cleared and redrawn', [`${CLEAR}>>relay:bob ok\r\nworking\r\n`]],
    ['cleared, then redrawn later', [CLEAR, '>>relay:bob ok\r\nworking\r\n']],
    ['cleared with its history and reprinted', [`\x1b[2J\x1b[3J\x1b[H>>relay:bob ok\r\nworking\r\n`]],
    ['redrawn in place', ['\x1b[2A\r\x1b[J>>relay:bob ok\r\nworking\r\n']],
    ['moved down by a row', [`${CLEAR}\r\n>>relay:bob ok\r\nworking\r\n`]],
    ['hidden by the alternate screen', [`\x1b[?1049h${CLEAR}other`, '\x1b[?1049l']],
    [
      'shown on the alternate screen as well',
      [`\x1b[?1049h${CLEAR}>>relay:bob ok\r\nworking`, '\x1b[?1049l'],
    ],
    ['scrolled down and up again', ['\x1b[H\x1bM\x1bM', `${CLEAR}>>relay:bob ok\r\nworking\r\n`]],
  ])('does not resend what is %s', async (_what, texts) => {
    const { directives } = await play(frames([HIDE, '>>relay:bob ok\r\nworking\r\n', ...texts, ''], 2));
    expect(directives).toHaveLength(1);
  });

  it('does not resend what a resize wraps anew', async () => {
    const long = `>>relay:bob ${'w '.repeat(60)}end`;
    const sizes: [number, number][] = [
      [40, 10],
      [120, 40],
      [20, 5],
      [80, 24],
    ];
    const events: CastEvent[] = frames([HIDE, `one\r\n${long}\r\ntwo\r\n`], 2);
    sizes.forEach(([cols, rows], at) => {
      events.push({ time: 6 + 2 * at, kind: 'r', cols, rows });
    });
    events.push({ time: 20, kind: 'o', text: 'three\r\n' });
    const { lines } = await play(events);
    expect(lines).toEqual(['one', long, 'two', 'three']);
  });

  it('does not give out again what was printed before the program began to draw', async () => {
    const { lines } = await play(frames(['one\r\ntwo\r\nthr', 'ee\r\x1b[2K', 'four\r\n', ''], 2));
    expect(lines).toEqual(['one', 'two', 'four']);
  });

  it('joins rows that the terminal wrapped, wide characters and blanks at the edge too', async () => {
    const long = `${'word '.repeat(40)}日本語${'x'.repeat(75)}語end`;
    for (const start of ['', HIDE]) expect((await playText(`${start}${long}\r\n`)).lines).toEqual([long]);
  });

  it('gives out a line before its second has passed only when the program ends', async () => {
    const seen: string[][] = [];
    for (const time of [0.9, 1.5]) {
      const events: CastEvent[] = [
        { time: 0, kind: 'o', text: `${HIDE}>>relay:bob hel\r\n\r\n> ` },
        { time, kind: 'o', text: '\x1b[2A\r>>relay:bob hello\r\n\r\n> ' },
      ];
      seen.push((await play(events)).directives.map((one) => one.body));
    }
    expect(seen).toEqual([['hello'], ['hel', 'hello']]);
  });

  it('does not look at a synchronized update that is still open, for a second at most', async () => {
    const half = `${HIDE}\x1b[?2026h>>relay:bob half\r\n> `;
    const whole = '\x1b[2K\x1b[1A\r\x1b[2K>>relay:bob whole\r\n> \x1b[?2026l';
    const { directives } = await play([
      { time: 0, kind: 'o', text: half },
      { time: 0.95, kind: 'o', text: whole },
    ]);
    expect(directives.map((one) => one.body)).toEqual(['whole']);
    const hung = await play([
      { time: 0, kind: 'o', text: half },
      { time: 9, kind: 'o', text: '\x1b[2J' },
    ]);
    expect(hung.directives.map((one) => one.body)).toEqual(['half']);
  });

  it('keeps the lines of a block together while a status bar below it changes', async () => {
    const bar = (n: number) => `\x1b[24;1H\x1b[2K${n} tokens`;
    const texts = ['[[RELAY]]', '{"to":"bob",', '"body":"x"}', '[[/RELAY]]'].map(
      (text, at) => `\x1b[${at + 1};1H${text}${bar(Math.floor(at / 2))}`,
    );
    const { directives } = await play(frames([`${HIDE}${CLEAR}`, ...texts, '', '', ''], 0.7));
    expect(directives).toEqual([{ to: 'bob', kind: 'message', body: 'x' }]);
  });

  it('survives sequences that ask for a billion repetitions', async () => {
    const hostile = ['b', 'S', 'T', 'L', 'M', 'I', 'Z', '@', 'P', 'X']
      .map((final) => `\x1b[2147483647${final}`)
      .join('');
    const { directives } = await playText(`${HIDE}x${hostile}\r\n>>relay:bob ok\r\n`);
    expect(directives).toHaveLength(1);
  });
});

describe('recordings of real agents', () => {
  it('Codex in its raw mode shows all ten directives, once each', async () => {
    const { directives } = await playFile('codex/relay-raw-noalt');
    expect(directives.map((one) => one.to)).toEqual([
      'bob',
      'bob',
      'carol',
      'dave',
      'bob',
      'bob',
      '*',
      'erin',
      'bob',
      'bob',
    ]);
    expect(directives[3]?.data).toEqual({ list: [1, 2, 3], path: '/tmp/a_b_c' });
    expect(directives.at(-1)?.body).toBe('日本語テスト émoji 🎉 wide');
  });

  it('Gemini shows them too, its gutter and line breaks taken away', async () => {
    const { directives } = await playFile('gemini/relay', { profile: 'gemini' });
    expect(directives.map((one) => one.to)).toEqual([
      'bob',
      'bob',
      'carol',
      'dave',
      'bob',
      'bob',
      '*',
      'erin',
      'bob',
      'bob',
    ]);
    expect(directives[1]?.body).toMatch(/^LONGSTART( w\d{3}){58} LONGEND$/);
    expect(directives[8]?.body).toMatch(/^NS(x\d{4})+END$/);
  });

  it.each(['claude', 'codex', 'opencode'] as const)(
    '%s shows none of them without its profile',
    async (agent) => {
      expect((await playFile(`${agent}/relay`)).directives).toEqual([]);
    },
  );
});
