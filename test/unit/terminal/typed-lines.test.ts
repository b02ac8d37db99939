import { describe, expect, it } from 'vitest';
import { TypedLines } from '../../../src/terminal/typed-lines.ts';

describe('what the person typed is not speech', () => {
  it('its echo is known once, key by key or pasted', () => {
    const typed = new TypedLines({ redrawn: false });
    for (const key of '>>relay:bob hi\r') typed.note(key);
    typed.note('\x1b[200~two\nthree\x1b[201~\r');
    expect(
      ['  >>relay:bob hi', '>>relay:bob hi', 'two', 'three', ''].map((line) => typed.isEcho(line)),
    ).toEqual([...[true, false, true, true, false]]);
  });

  it('in a TUI it is known as often as it is drawn', () => {
    const typed = new TypedLines({ redrawn: true });
    typed.note('hi\r');
    expect([typed.isEcho('hi'), typed.isEcho('hi'), typed.isEcho('ho')]).toEqual([true, true, false]);
  });
});
