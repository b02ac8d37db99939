import { describe, expect, it } from 'vitest';
import { Stripper, strip } from '../../../src/base/strip.ts';

describe('control sequences in text', () => {
  it.each([
    ['SGR', 'a\x1b[1;38;5;42mb\x1b[0mc', 'abc'],
    ['private and intermediate CSI', 'a\x1b[?2004hb\x1b[>4;2mc\x1b[2 qd', 'abcd'],
    ['OSC by BEL and by ST', 'a\x1b]8;;http://x\x07b\x1b]0;t\x1b\\c', 'abc'],
    ['DCS, APC, PM, SOS', 'a\x1bPq\x07x\x1b\\b\x1b_G\x1b\\c\x1b^p\x1b\\d\x1bXs\x1b\\e', 'abcde'],
    ['two-character escapes', 'a\x1b7b\x1b(Bc\x1b=d', 'abcd'],
    ['C1 code points', 'a\u009b31mb\u009d0;t\u009cc\u0090x\u009cd\u0085e', 'abcde'],
    ['C0 but TAB, and DEL', 'a\0\x08\r\x0b\x7fb\tc', 'ab\tc'],
    ['a sequence broken off by ESC', 'a\x1b[3\x1b[31mb\x1b]0;t\x1b[1mc', 'abc'],
    ['a sequence cancelled', 'a\x1b[3\x18b\x1b]0;\x1ac', 'abc'],
    ['a C0 inside a sequence', 'a\x1b[3\r1mb', 'ab'],
    ['text that cannot be in a sequence', 'a\x1b[31éb\x1béc', 'aébéc'],
  ])('go: %s', (_what, input, output) => {
    expect(strip(input)).toBe(output);
    const stripper = new Stripper();
    expect(Array.from(input, (char) => stripper.push(char)).join('')).toBe(output);
  });

  it('never take a line feed with them', () => {
    expect(strip('\x1b]0;never closed\nb\x1b[3\nc\x1b\nd\x1bPq\ne')).toBe('\nb\nc\nd\ne');
  });

  it('leave everything else as it is', () => {
    const text = 'zażółć 日本語 👩‍💻\u00a0\ud800 ~\n\t';
    expect(strip(text)).toBe(text);
  });
});
