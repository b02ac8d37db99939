import { describe, expect, it } from 'vitest';
import { Painter } from '../../../src/watch/painter.ts';

const SIZE = { cols: 3, rows: 2 };

describe('painting', () => {
  it('writes all rows at first, then only those that changed, then nothing', () => {
    const painter = new Painter();
    expect(painter.paint(['abc', 'def'], SIZE)).toBe(
      '\x1b[?2026h\x1b[m\x1b[2J\x1b[1;1H\x1b[2Kabc\x1b[m\x1b[2;1H\x1b[2Kdef\x1b[m\x1b[?2026l',
    );
    expect(painter.paint(['abc', 'dEf'], SIZE)).toBe('\x1b[?2026h\x1b[2;1H\x1b[2KdEf\x1b[m\x1b[?2026l');
    expect(painter.paint(['abc', 'dEf'], SIZE)).toBe('');
  });

  it('writes all rows again at another size, or when it was told to forget', () => {
    const painter = new Painter();
    painter.paint(['abc', 'def'], SIZE);
    expect(painter.paint(['abc'], { cols: 3, rows: 1 })).toContain('\x1b[2J\x1b[1;1H\x1b[2Kabc');
    painter.forget();
    expect(painter.paint(['abc'], { cols: 3, rows: 1 })).toContain('abc');
  });
});
