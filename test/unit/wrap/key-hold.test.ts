import { beforeEach, describe, expect, it } from 'vitest';
import { AgentInput } from '../../../src/wrap/agent-input.ts';
import type { KeyHold } from '../../../src/wrap/key-hold.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';

describe('the keys of the person while a text of ours stands in the box', () => {
  let clock: FakeClock;
  let agent: string;
  let input: AgentInput;
  let hold: KeyHold;

  const press = (text: string) => input.push(Buffer.from(text, 'latin1'));

  beforeEach(async () => {
    clock = new FakeClock();
    agent = '';
    input = new AgentInput({
      write: (bytes, onEnd) => {
        agent += Buffer.from(bytes).toString('latin1');
        onEnd?.(true);
      },
      passed: () => {},
      clock,
    });
    press('a');
    hold = await input.paste(Buffer.from('<text>'));
  });

  it('wait, and come in order behind the submit key', async () => {
    press('b');
    press('c\r');
    await input.type(Buffer.from('<cr>'));
    expect(agent).toBe('a<text><cr>');
    hold.release();
    press('d');
    expect(agent).toBe('a<text><cr>bc\rd');
    expect(hold.broken).toBe('no');
  });

  it('wait for a second at most', () => {
    press('b');
    clock.advance(999);
    expect(agent).toBe('a<text>');
    clock.advance(1);
    expect(agent).toBe('a<text>b');
    expect(hold.broken).toBe('late');
    press('c');
    expect(agent).toBe('a<text>bc');
  });

  it.each([
    ['Ctrl-C', '\x03'],
    ['Ctrl-Z', '\x1a'],
    ['Ctrl-C of a terminal that reports key codes', '\x1b[99;5u'],
    ['Escape of one', '\x1b[27u'],
  ])('go at once with %s', (_name, key) => {
    press('b');
    press(key);
    expect(agent).toBe(`a<text>b${key}`);
    expect(hold.broken).toBe('interrupted');
  });

  it('go with an Escape as soon as it is known for one', () => {
    press('\x1b');
    clock.advance(50);
    expect(agent).toBe('a<text>');
    clock.advance(50);
    expect(agent).toBe('a<text>\x1b');
    expect(hold.broken).toBe('interrupted');
  });

  it.each([
    ['an arrow key', '\x1b[A'],
    ['Ctrl-A', '\x01'],
    ['a paste with control bytes in it', '\x1b[200~x\x03\x1b[27u\x1b[201~'],
    ['the release of Ctrl-C', '\x1b[99;5:3u'],
  ])('are not let go by %s', (_name, key) => {
    press(key);
    expect(agent).toBe('a<text>');
    hold.release();
    expect(agent).toBe(`a<text>${key}`);
  });

  it('do not keep back what the terminal answers, whole', () => {
    press('\x1b[?1;');
    expect(agent).toBe('a<text>');
    press('2c');
    expect(agent).toBe('a<text>\x1b[?1;2c');
    press('b');
    press('\x1b[I');
    expect(agent).toBe('a<text>\x1b[?1;2c');
    hold.release();
    expect(agent).toBe('a<text>\x1b[?1;2cb\x1b[I');
    expect(hold.broken).toBe('no');
  });

  it('are not kept when they are too many, nor when the input ends', () => {
    press('x'.repeat(70_000));
    expect(hold.broken).toBe('late');
    expect(agent).toHaveLength(7 + 70_000);
  });

  it('go before the end of the input', () => {
    press('b');
    input.end();
    expect(agent).toBe('a<text>b\x04\x04');
  });
});
