import { beforeEach, describe, expect, it } from 'vitest';
import { StatusTitle } from '../../../src/wrap/status-title.ts';

let written: string;
let title: StatusTitle;
beforeEach(() => {
  written = '';
  title = new StatusTitle((bytes) => {
    written += bytes.toString();
  });
});

describe('our words in the title', () => {
  it('are put over the title that was there, and taken away from it', () => {
    title.show('ada is held');
    title.show('ada is held');
    title.hide();
    title.hide();
    expect(written).toBe('\x1b[22;2t\x1b]2;ada is held\x1b\\\x1b[23;2t');
  });

  it('stay when the agent sets its own, which is there in the end', () => {
    title.output(Buffer.from('\x1b]0;before\x07'));
    title.show('held');
    written = '';
    title.output(Buffer.from('text\x1b]0;wor'));
    expect(written).toBe('');
    title.output(Buffer.from('king\x07\x1b]8;;x\x07'));
    expect(written).toBe('\x1b]2;held\x1b\\');
    written = '';
    title.hide();
    expect(written).toBe('\x1b[23;2t\x1b]2;working\x1b\\');
  });

  it('hold no control character', () => {
    title.show('a\x1b]0;b\x07\nc');
    expect(written).toBe('\x1b[22;2t\x1b]2;a]0;b ⏎ c\x1b\\');
  });
});
