import { describe, expect, it } from 'vitest';
import { LineScanner } from '../../../src/terminal/line-scanner.ts';

const linesOf = (text: string): string[] => text.split('\n').slice(0, -1);

function scan(text: string | Buffer, size?: number) {
  const scanner = new LineScanner({ rows: 24 });
  const bytes = Buffer.from(text);
  const lines: string[] = [];
  const step = size ?? Math.max(1, bytes.length);
  for (let at = 0; at < bytes.length; at += step) {
    const scanned = scanner.push(bytes.subarray(at, at + step));
    lines.push(...linesOf(scanned.text));
    if (scanned.moved) return { lines, moved: scanned.moved, at: at + step };
  }
  return { lines: [...lines, ...linesOf(scanner.flush())], moved: undefined, at: bytes.length };
}

describe('terminal.md §3d tier 1', () => {
  it.each([
    ['LF', 'a\nb\n\nc', ['a', 'b', '', 'c']],
    ['CR LF and CR CR LF', 'a\r\nb\r\r\n\r\nc\r\n', ['a', 'b', '', 'c']],
    ['tabs', '\ta\tb\n', ['\ta\tb']],
    ['a CR where nothing was printed', '\r\ra\n\rb\n', ['a', 'b']],
    ['colours, titles and links', '\x1b[1;31ma\x1b[0m\x1b[K\x1b]0;t\x07\x1b]8;;x\x1b\\b\r\n', ['ab']],
    [
      'modes, queries, keyboard protocols, character sets',
      '\x1b[?2004h\x1b[c\x1b[>4;2m\x1b[>5u\x1b[?u\x1b(Ba\n',
      ['a'],
    ],
    ['wide and combined characters', 'zażółć 日本語 👩‍💻\n', ['zażółć 日本語 👩‍💻']],
    ['an unfinished sequence', '\x1b]0;never closed\na\n', ['', 'a']],
  ])('reads lines exactly, in any chunking: %s', (_what, text, lines) => {
    for (const size of [undefined, 1, 2, 3])
      expect(scan(text, size)).toMatchObject({ lines, moved: undefined });
  });

  it.each([
    ...['A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'J', 'f', 'd', 'L', 'M', 'S', 'T', '@', 'P', 'X'].map(
      (f) => `\x1b[2${f}`,
    ),
    ...[
      '\x1b[1K',
      '\x1b[2K',
      '\r\x1b[K',
      '\x1b7',
      '\x1b8',
      '\x1bM',
      '\x1bD',
      '\x1bc',
      '\x1b#8',
      '\x1b[r',
      '\x1b[3;9r',
    ],
    ...['\x1b[?1049h', '\x1b[?25l', '\x1b[?2026h', '\x1b[?1;6h', '\x1b[4h', '\x1b[!p', '\x1b[s', '\x1b[?J'],
    ...['\rx', '\r\x1b[31mx', '\r\t', '\x08', '\x0b', '\x0c', '\r\u00e9', '\u009b2J', '\x1b[3\x011m'],
  ])('hands over to the screen at %j', (sequence) => {
    for (const size of [undefined, 1]) {
      const { lines, moved } = scan(`\x1b[?2004hone\r\ntwo${sequence}rest\n`, size);
      expect(lines).toEqual(['one']);
      expect(moved?.given).toEqual(['one']);
      const expected = Buffer.from(`\x1b[?2004h\x1b[?2004hone\r\r\ntwo${sequence}rest\n`);
      const primed = moved?.bytes ?? Buffer.alloc(0);
      // Byte by byte, the switch comes with the byte that moves: no sooner than the sequence.
      expect(primed).toEqual(expected.subarray(0, size === 1 ? primed.length : undefined));
      expect(primed.length).toBeGreaterThan(expected.indexOf('two') + 3);
    }
  });

  it('primes with the last screenful', () => {
    const scanner = new LineScanner({ rows: 3 });
    scanner.push(Buffer.from('1\n2\n3\n4\n5\n'));
    expect(scanner.push(Buffer.from('\x1b[A')).moved).toEqual({
      bytes: Buffer.from('3\r\n4\r\n5\r\n\x1b[A'),
      given: ['3', '4', '5'],
    });
  });

  it('knows whether bracketed paste is on', () => {
    const scanner = new LineScanner({ rows: 24 });
    scanner.push(Buffer.from('\x1b[?1;2004h'));
    expect(scanner.bracketedPaste).toBe(true);
    scanner.push(Buffer.from('\x1b[?2004l'));
    expect(scanner.bracketedPaste).toBe(false);
  });

  it('keeps no more than 2 MiB of a line that never ends', () => {
    const scanner = new LineScanner({ rows: 24 });
    const chunk = Buffer.alloc(64 * 1024, 'x');
    for (let at = 0; at < 200; at++) scanner.push(chunk);
    expect(linesOf(scanner.push(Buffer.from('\nnext\n')).text).map((line) => line.length)).toEqual([
      2 * 1024 * 1024,
      4,
    ]);
  });
});
