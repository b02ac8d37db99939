import { describe, expect, it } from 'vitest';
import type { Profile } from '../../src/terminal/gutter.ts';
import fc from '../helpers/fast-check.ts';
import { everyByte, type Played, play, playFile, playText } from '../helpers/play.ts';

/** Cuts bytes at places that `random` chooses. */
function cutter(random: () => number) {
  return (bytes: Buffer): Buffer[] => {
    const pieces: Buffer[] = [];
    for (let at = 0; at < bytes.length; ) {
      const end = at + 1 + Math.floor(random() ** 3 * 3000);
      pieces.push(bytes.subarray(at, end));
      at = end;
    }
    return pieces;
  };
}

describe('the chunking of the output does not matter, only its timing', () => {
  it.each<[string, Profile]>([
    ['claude/relay', 'claude'],
    ['codex/relay', 'codex'],
    ['codex/relay-raw-noalt', 'generic'],
    ['gemini/relay', 'gemini'],
    ['opencode/relay', 'opencode'],
    ['claude/inject-multi', 'generic'],
  ])('%s as %s', async (name, profile) => {
    const whole = await playFile(name, { profile });
    await fc.assert(
      fc.asyncProperty(fc.integer(), async (seed) => {
        let state = seed >>> 0;
        const random = () => {
          state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
          return state / 2 ** 32;
        };
        expect(await playFile(name, { profile, cut: cutter(random) })).toEqual(whole);
      }),
      { numRuns: 3 },
    );
    expect(await playFile(name, { profile, cut: everyByte })).toEqual(whole);
  });

  const piece = fc.constantFrom(
    ...[
      'a',
      '日本',
      '🎉',
      '\r\n',
      '\n',
      '\r',
      '\t',
      ' ',
      'word '.repeat(20),
      '\x1b[A',
      '\x1b[2K',
      '\x1b[H',
      '\x1b[2J',
    ],
    ...[
      '\x1b[31m',
      '\x1b[?1049h',
      '\x1b[?1049l',
      '\x1b[2;5r',
      '\x1b[r',
      '\x1bM',
      '\x1b]0;t\x07',
      '\x1b[3J',
      '\x08',
    ],
  );

  it('any stream of lines and movements', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(piece, { maxLength: 12 }), { maxLength: 6 }), async (outputs) => {
        const events = outputs.map((parts, at) => ({
          time: at * 0.6,
          kind: 'o' as const,
          text: parts.join(''),
        }));
        const size = { cols: 20, rows: 6 };
        const whole: Played = await play(events, size);
        expect(await play(events, { ...size, cut: everyByte })).toEqual(whole);
      }),
      { numRuns: 60 },
    );
  });

  it('gives each printed line once and in order, whether the program draws or not', async () => {
    const line = fc.stringMatching(/^[a-z{}>:]{1,60}$/);
    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 40 }), fc.boolean(), async (lines, draws) => {
        const text = `${draws ? '\x1b[?25l' : ''}${lines.map((one) => `${one}\r\n`).join('')}`;
        expect((await playText(text, { cols: 20, rows: 6 })).lines).toEqual(lines);
      }),
    );
  });
});
