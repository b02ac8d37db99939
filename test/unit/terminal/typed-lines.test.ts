import { describe, expect, it } from 'vitest';
import { TypedLines } from '../../../src/terminal/typed-lines.ts';

describe('what the person typed is not speech', () => {
  it('its echo is known once, typed key by key or pasted', () => {
    const typed = new TypedLines({ redrawn: false });
    for (const key of '>>relay:bob hi\r') typed.note(key);
    typed.note('\x1b[200~>>thinking:* two\n[[RELAY]]\x1b[201~\r');
    const output = '  >>relay:bob hi\n>>relay:bob hi\n>>thinking:* two\n[[RELAY]]\n\n';
    expect(typed.withoutEcho(output)).toBe('>>relay:bob hi\n\n');
  });

  it('in a TUI it is known as often as it is drawn', () => {
    const typed = new TypedLines({ redrawn: true });
    typed.note('>>relay:bob hi\r');
    expect(typed.withoutEcho('>>relay:bob hi\nho\n>>relay:bob hi\n')).toBe('ho\n');
  });

  it('other lines are not even remembered: output that looks like them is passed on', () => {
    const typed = new TypedLines({ redrawn: true });
    typed.note('hi\r');
    expect(typed.withoutEcho('hi\n')).toBe('hi\n');
  });
});
