import { describe, expect, it } from 'vitest';
import { TypedLines } from '../../../src/terminal/typed-lines.ts';

describe('what the person typed is not speech', () => {
  it('its echo is known once, typed key by key or pasted', () => {
    const typed = new TypedLines({ redrawn: false });
    for (const key of '>>relay:bob hi\r') typed.note(key);
    typed.note('\x1b[200~two\nthree\x1b[201~\r');
    const output = '  >>relay:bob hi\n>>relay:bob hi\ntwo\nthree\n\n';
    expect(typed.withoutEcho(output)).toBe('>>relay:bob hi\n\n');
  });

  it('in a TUI it is known as often as it is drawn', () => {
    const typed = new TypedLines({ redrawn: true });
    typed.note('hi\r');
    expect(typed.withoutEcho('hi\nho\nhi\n')).toBe('ho\n');
  });
});
