/** The chord takes its own keys and nothing else: all other bytes pass unchanged and at once. */

import { describe, expect, it } from 'vitest';
import { Chord, PREFIX_MS } from '../../src/terminal/chord.ts';
import { OutputScanner } from '../../src/terminal/output-scanner.ts';
import { FakeClock } from '../helpers/fake-clock.ts';
import fc from '../helpers/fast-check.ts';

const PREFIX = '\x1c';
const KITTY_PREFIX = '\x1b[92;5u';

function start() {
  const clock = new FakeClock();
  const passed: Buffer[] = [];
  const pressed: string[] = [];
  const chord = new Chord({
    character: '\\',
    actions: ['h', 'w'],
    clock,
    pass: (chunk) => passed.push(chunk),
    pressed: (action) => pressed.push(action),
  });
  const text = () => Buffer.concat(passed).toString('latin1');
  const type = (...chunks: string[]) => {
    for (const chunk of chunks) chord.input(Buffer.from(chunk, 'latin1'));
    return { passed: text(), pressed };
  };
  return { clock, chord, type, text, passed, pressed };
}

const typed = (...chunks: string[]) => start().type(...chunks);

describe('what is not the chord', () => {
  it('passes as the same buffer, in the same call, whatever it is', () => {
    const bytes = fc.uint8Array({ minLength: 1 }).filter((each) => !each.includes(0x1c));
    fc.assert(
      fc.property(fc.array(bytes), (chunks) => {
        const { chord, passed } = start();
        for (const [i, chunk] of chunks.entries()) {
          const buffer = Buffer.from(chunk);
          if (buffer.includes('[92') || buffer.includes(';92~')) continue;
          chord.input(buffer);
          expect(passed[i]).toBe(buffer);
        }
      }),
    );
  });

  it('passes whole and in order with prefixes among it, but for chords; at the end nothing is kept', () => {
    const inside = fc.constantFrom(PREFIX, `${PREFIX}h`, 'text', '\r', '\x1b[A');
    const piece = fc.oneof(
      fc.constantFrom(
        'a',
        'é',
        '\r',
        '\x1b[A',
        '\x1bOP',
        '\x1bx',
        '\x1b[I',
        '\x1b[12;40R',
        '\x1b[99;5u',
        'h',
        'w',
      ),
      fc.array(inside).map((texts) => `\x1b[200~${texts.join('')}\x1b[201~`),
      fc.array(fc.constantFrom(PREFIX, 'h', 'x')).map((texts) => `\x1b]11;${texts.join('')}\x07`),
      fc.constantFrom(PREFIX, KITTY_PREFIX),
    );
    fc.assert(
      fc.property(fc.array(piece), fc.array(fc.nat(200)), (pieces, cuts) => {
        const { chord, text, pressed } = start();
        const bytes = Buffer.from(pieces.join(''));
        // Cut between pieces only: a prefix that comes in two reads is not taken for one.
        const ends = new Set(cuts);
        let waiting: Buffer[] = [];
        for (const [i, each] of pieces.entries()) {
          waiting.push(Buffer.from(each));
          if (!ends.has(i)) continue;
          chord.input(Buffer.concat(waiting));
          waiting = [];
        }
        if (waiting.length > 0) chord.input(Buffer.concat(waiting));
        chord.end();
        const { expected, actions } = reference(pieces);
        expect(text()).toBe(Buffer.from(expected).toString('latin1'));
        expect(pressed).toEqual(actions);
        expect(bytes.length).toBeGreaterThanOrEqual(text().length);
      }),
    );
  });
});

/** The same, piece by piece. Replies and focus may overtake a prefix that is kept back. */
function reference(pieces: readonly string[]): { expected: string; actions: string[] } {
  const isPrefix = (piece: string) => piece === PREFIX || piece === KITTY_PREFIX;
  const isReply = (piece: string) =>
    piece === '\x1b[I' || piece === '\x1b[12;40R' || piece.startsWith('\x1b]');
  let kept = '';
  let expected = '';
  const actions: string[] = [];
  for (const piece of pieces) {
    if (isReply(piece)) expected += piece;
    else if (kept === '') {
      if (isPrefix(piece)) kept = piece;
      else expected += piece;
    } else {
      if (piece === 'h' || piece === 'w') actions.push(piece);
      else expected += isPrefix(piece) ? kept : kept + piece;
      kept = '';
    }
  }
  return { expected: expected + kept, actions };
}

describe('the chord', () => {
  it.each([
    ['as bytes', [`${PREFIX}h`]],
    ['in two reads', [PREFIX, 'h']],
    ['from xterm with modifyOtherKeys', ['\x1b[27;5;92~', 'h']],
    ['from Kitty', [KITTY_PREFIX, 'h']],
    [
      'from Kitty with num lock and events',
      ['\x1b[92;133:1u', '\x1b[92;133:3u', '\x1b[104;129:1u', '\x1b[104;129:3u'],
    ],
    [
      'from Kitty, released late',
      ['\x1b[92;5:1u', '\x1b[104;5:3u\x1b[104:72:104;2:1u', '\x1b[92;5:3u\x1b[104;1:3u'],
    ],
    ['of another layout', ['\x1b[246::92;5u', 'h']],
    ['while the terminal reports something', [PREFIX, '\x1b[I', 'h']],
  ])('is heard %s, and no byte of it passes', (_, chunks) => {
    const { passed, pressed } = typed(...chunks);
    expect(pressed).toEqual(['h']);
    expect(passed.replace('\x1b[I', '').replace('\x1b[104;5:3u', '')).toBe('');
  });

  it('lets reports of Ctrl itself pass at once', () => {
    const { passed, pressed } = typed('\x1b[57442;5u', '\x1b[92;5u', '\x1b[57442;1:3u', 'h');
    expect([passed, pressed]).toEqual(['\x1b[57442;5u\x1b[57442;1:3u', ['h']]);
  });

  it('pressed twice, the prefix reaches the agent once', () => {
    expect(typed(PREFIX, PREFIX, 'h')).toEqual({ passed: `${PREFIX}h`, pressed: [] });
  });

  it('the prefix and another key reach the agent, both at that key', () => {
    expect(typed(PREFIX, 'x')).toEqual({ passed: `${PREFIX}x`, pressed: [] });
    expect(typed(PREFIX, '\x1b').passed).toBe(`${PREFIX}\x1b`);
    expect(typed(PREFIX, '\x1b[A').passed).toBe(`${PREFIX}\x1b[A`);
  });

  it('the prefix alone reaches the agent after a second', async () => {
    const { clock, type, text } = start();
    expect(type(PREFIX).passed).toBe('');
    await clock.advanceAsync(PREFIX_MS);
    expect(text()).toBe(PREFIX);
    expect(type('h')).toEqual({ passed: `${PREFIX}h`, pressed: [] });
  });

  it('is not heard within a paste or a reply, however they are cut', () => {
    expect(typed('\x1b[200~a', `${PREFIX}h`, '\x1b[201~').pressed).toEqual([]);
    expect(typed('\x1b]52;c;', `${PREFIX}h`, '\x07').pressed).toEqual([]);
  });

  it('is heard after an Escape that was a key of its own', async () => {
    const { clock, type } = start();
    type('\x1b');
    await clock.advanceAsync(200);
    expect(type(`${PREFIX}h`)).toEqual({ passed: '\x1b', pressed: ['h'] });
  });
});

describe('the scanner of output', () => {
  const whole = fc.constantFrom(
    'text',
    'é漢🎉',
    '\r\n',
    '\x1b[1;31m',
    '\x1b[?2026h',
    '\x1b7',
    '\x1b(B',
    '\x1b]0;title é\x07',
    '\x1b]8;;http://x\x1b\\',
    '\x1bPtmux;\x1b\x1b]1337;a=\x07\x1b\\',
    '\x1b_Gf=24;AAAA\x1b\\',
  );

  it('is at a boundary after whole sequences and characters, and only there, cut as they may be', () => {
    fc.assert(
      fc.property(fc.array(whole), whole, fc.nat(), (before, last, cut) => {
        const bytes = Buffer.from(last);
        const at = 1 + (cut % bytes.length);
        const scanner = new OutputScanner();
        scanner.push(Buffer.from(before.join('')));
        expect(scanner.atBoundary).toBe(true);
        scanner.push(bytes.subarray(0, at));
        const isPlain = !last.startsWith('\x1b');
        const isWhole = isPlain
          ? Buffer.from(bytes.subarray(0, at).toString()).equals(bytes.subarray(0, at))
          : at === bytes.length;
        expect(scanner.atBoundary).toBe(isWhole);
        scanner.push(bytes.subarray(at));
        expect(scanner.atBoundary).toBe(true);
      }),
    );
  });

  it('byte by byte says the same as at once', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const atOnce = new OutputScanner();
        const single = new OutputScanner();
        atOnce.push(bytes);
        for (const byte of bytes) single.push(Buffer.of(byte));
        expect(single.atBoundary).toBe(atOnce.atBoundary);
      }),
    );
  });
});
