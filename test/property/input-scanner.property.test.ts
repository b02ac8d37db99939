/** The scanner of the person's input, for any input and any way it is cut. */

import { describe, expect, it } from 'vitest';
import { InputScanner } from '../../src/terminal/input-scanner.ts';
import fc from '../helpers/fast-check.ts';

const KEYS = [
  'a',
  '\r',
  '\x03',
  '\x1a',
  'é',
  '漢',
  '🎉',
  '\x1b[A',
  '\x1bOP',
  '\x1b[1;5C',
  '\x1b[3~',
  '\x1b[[A',
  '\x1bx',
  '\x1bé',
  '\x1b[122;5u',
  '\x1b[1;2R',
  '\x1b[Z',
];
const REPLIES = [
  '\x1b[12;40R',
  '\x1b[?1;2c',
  '\x1b[>0;276;0c',
  '\x1b[0n',
  '\x1b[?997;1n',
  '\x1b[8;24;80t',
  '\x1b[?2026;2$y',
  '\x1b[?0u',
  '\x1b[I',
  '\x1b[O',
  '\x1b[<0;3;4M',
  '\x1b[<0;3;4m',
  '\x1b[M !!',
  '\x1b[32;3;4M',
  '\x1b[48;24;80;0;0t',
  '\x1b]11;rgb:0000/0000/0000\x07',
  '\x1b]11;rgb:0000/0000/0000\x1b\\',
  '\x1bP>|xterm(388)\x1b\\',
  '\x1b_Gi=1;OK\x1b\\',
  '\x1b]7501;?\x07',
];
const paste = fc
  .string({ unit: 'binary' })
  .map((text) => `\x1b[200~${text.replaceAll('\x1b', '')}\x1b[20 \x1b\x1b[201~`);
const piece = fc.oneof(
  fc.constantFrom(...KEYS).map((text) => ({ text, key: true })),
  fc.constantFrom(...REPLIES).map((text) => ({ text, key: false })),
  paste.map((text) => ({ text, key: true })),
);

/** Byte offsets after which the scanner says it is at a boundary. */
function boundaries(bytes: Uint8Array): { at: number[]; key: boolean } {
  const scanner = new InputScanner();
  const at: number[] = [];
  let key = false;
  for (let i = 0; i < bytes.length; i += 1) {
    key = scanner.push(bytes.subarray(i, i + 1)) || key;
    if (scanner.atBoundary) at.push(i + 1);
  }
  return { at, key };
}

describe('where text may be put into the person’s input', () => {
  it('is exactly between the keys, replies and pastes, byte by byte', () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const ends: number[] = [];
        let length = 0;
        for (const { text } of pieces) {
          length += Buffer.byteLength(text);
          ends.push(length);
        }
        const { at, key } = boundaries(Buffer.from(pieces.map(({ text }) => text).join('')));
        expect(at).toEqual(ends);
        expect(key).toBe(pieces.some((each) => each.key));
      }),
    );
  });

  it('does not depend on how the input is cut', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.array(fc.nat(200)), (bytes, cuts) => {
        const whole = new InputScanner();
        const key = whole.push(bytes);
        const cut = new InputScanner();
        const edges = [0, ...cuts.filter((at) => at < bytes.length).sort((a, b) => a - b), bytes.length];
        let cutKey = false;
        for (let i = 1; i < edges.length; i += 1)
          cutKey = cut.push(bytes.subarray(edges[i - 1], edges[i])) || cutKey;
        expect([cut.atBoundary, cut.inPaste, cutKey]).toEqual([whole.atBoundary, whole.inPaste, key]);
      }),
    );
  });

  it('comes again after any input outside a paste, when nothing follows for a while', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const scanner = new InputScanner();
        scanner.push(bytes);
        scanner.settle();
        expect(scanner.atBoundary).toBe(!scanner.inPaste);
      }),
    );
  });
});

describe('keys that look like the start of something', () => {
  for (const [name, text] of [
    ['Escape', '\x1b'],
    ['Alt-[', '\x1b['],
    ['Alt-]', '\x1b]'],
    ['Alt-O', '\x1bO'],
    ['Alt-P', '\x1bP'],
  ] as const) {
    it(`${name} alone is a key once it is settled`, () => {
      const scanner = new InputScanner();
      expect(scanner.push(Buffer.from(text))).toBe(false);
      expect(scanner.atBoundary).toBe(false);
      expect(scanner.settle()).toBe(true);
      expect(scanner.atBoundary).toBe(true);
    });
  }
  it('a paste is not ended by time, nor by half an end marker', () => {
    const scanner = new InputScanner();
    scanner.push(Buffer.from('\x1b[200~text\x1b[201'));
    expect(scanner.settle()).toBe(false);
    expect(scanner.atBoundary).toBe(false);
    scanner.push(Buffer.from('~'));
    expect(scanner.atBoundary).toBe(true);
  });
});
