import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Osc, OscReader } from '../../../src/agents/osc.ts';
import { parseStatus } from '../../../src/agents/program-status.ts';

function read(...chunks: (string | Uint8Array)[]): Osc[] {
  const reader = new OscReader();
  const found: Osc[] = [];
  for (const chunk of chunks) reader.push(Buffer.from(chunk), (osc) => found.push(osc));
  return found;
}

describe('OSC sequences in the output of an agent', () => {
  it('finds titles and status reports, ended by BEL or by ST', () => {
    expect(read('a\x1b]0;✳ Claude\x07b\x1b]7501;state=idle:app=codex\x1b\\c')).toEqual([
      { code: 0, data: '✳ Claude' },
      { code: 7501, data: 'state=idle:app=codex' },
    ]);
  });

  it('finds the same in any chunks', () => {
    const stream = Buffer.from('x\x1b[2J\x1b]7501;?\x07\x1b\x1b]2;日本 title\x1b\\\x1b]0;a\x1b]0;b\x07');
    const whole = read(stream);
    expect(whole).toHaveLength(3);
    fc.assert(
      fc.property(fc.array(fc.nat(stream.length), { maxLength: 8 }), (cuts) => {
        const at = [0, ...cuts.sort((a, b) => a - b), stream.length];
        expect(read(...at.slice(1).map((end, i) => stream.subarray(at[i], end)))).toEqual(whole);
      }),
    );
  });

  it('leaves out a sequence that is longer than a signal can be, and reads on', () => {
    expect(read(`\x1b]1337;${'x'.repeat(100_000)}\x07\x1b]0;t\x07`)).toEqual([{ code: 0, data: 't' }]);
  });

  it('takes a cancelled sequence for none', () => {
    expect(read('\x1b]0;never\x18\x1b]0;t\x07')).toEqual([{ code: 0, data: 't' }]);
  });

  it('survives any bytes', () => {
    fc.assert(fc.property(fc.uint8Array(), (bytes) => void read(bytes)));
  });
});

describe('OSC 7501', () => {
  const status = (data: string) => parseStatus({ code: 7501, data });
  it('tells what Codex and Claude Code report', () => {
    expect(status('state=idle:app=codex')).toBe('ready');
    expect(status('state=done:app=codex')).toBe('ready');
    expect(status('state=working:app=codex')).toBe('busy');
    expect(status('state=blocked:kind=permission:msg=QUJD')).toBe('dialog');
    expect(status('?')).toBe('query');
  });
  it('tells nothing of states it does not know', () => {
    expect(status('state=dreaming')).toBeUndefined();
    expect(status('state=constructor')).toBeUndefined();
    expect(status('app=codex')).toBeUndefined();
    expect(parseStatus({ code: 0, data: 'state=idle' })).toBeUndefined();
  });
});
