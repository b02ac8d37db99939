import { describe, expect, it } from 'vitest';
import { lineLog } from '../../../src/base/log.ts';
import type { CastFile } from '../../../src/terminal/cast-file.ts';
import type { LineMode } from '../../../src/terminal/line-mode.ts';
import { Recorder } from '../../../src/wrap/recorder.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';

const LINE: LineMode = { canonical: true, echo: true };
const SECRET: LineMode = { canonical: true, echo: false };
const KEYS: LineMode = { canonical: false, echo: false };

/** A recorder whose questions about the terminal are answered by hand. */
function recording(askable = true) {
  const recorded: string[] = [];
  const file = {
    output: (chunk: Buffer) => recorded.push(`o:${chunk}`),
    input: (chunk: Buffer) => recorded.push(`i:${chunk}`),
    resize: (cols: number, rows: number) => recorded.push(`r:${cols}x${rows}`),
    close: () => recorded.push('closed'),
  } as unknown as CastFile;
  const questions: ((mode: LineMode | undefined) => void)[] = [];
  const clock = new FakeClock();
  const logged: string[] = [];
  const ask = () => new Promise<LineMode | undefined>((resolve) => questions.push(resolve));
  const recorder = new Recorder(
    file,
    askable ? ask : undefined,
    clock,
    lineLog((line) => logged.push(line)),
  );
  const answer = async (mode: LineMode | undefined) => {
    questions.shift()?.(mode);
    await Promise.resolve();
    await Promise.resolve();
  };
  return { recorder, recorded, questions, clock, logged, answer };
}

describe('a recording of input', () => {
  it('is not made unless asked for', () => {
    const { recorder, recorded, questions } = recording(false);
    recorder.start('/dev/pts/0');
    recorder.input(Buffer.from('x'));
    recorder.output(Buffer.from('y'));
    recorder.resize(1, 2);
    recorder.close();
    recorder.close();
    expect(recorded).toEqual(['o:y', 'r:1x2', 'closed']);
    expect(questions).toHaveLength(0);
  });

  it.each([
    ['lines that are echoed', LINE],
    ['keys that the program draws', KEYS],
  ])('has %s', async (_what, mode) => {
    const { recorder, recorded, answer } = recording();
    recorder.start('/dev/pts/0');
    await answer(mode);
    recorder.input(Buffer.from('x'));
    expect(recorded).toEqual([]);
    await answer(mode);
    expect(recorded).toEqual(['i:x']);
  });

  it.each([
    ['typed where nothing is echoed', SECRET, SECRET],
    ['typed before the echo was switched off', LINE, SECRET],
    ['typed before the echo was switched on again', SECRET, LINE],
    ['typed when the terminal cannot be asked', LINE, undefined],
    ['typed before anything is known', undefined, LINE],
  ])('has nothing that was %s', async (_what, before, after) => {
    const { recorder, recorded, logged, answer } = recording();
    recorder.start('/dev/pts/0');
    await answer(before);
    recorder.input(Buffer.from('hunter2'));
    await answer(after);
    recorder.close();
    expect(recorded).toEqual(['closed']);
    expect(logged.join()).toContain('"bytes":7');
    expect(logged.join()).not.toContain('hunter2');
  });

  it('has nothing that was typed while a question was under way until the next one is answered', async () => {
    const { recorder, recorded, answer } = recording();
    recorder.start('/dev/pts/0');
    recorder.input(Buffer.from('a'));
    await answer(LINE);
    expect(recorded).toEqual([]);
    await answer(LINE);
    expect(recorded).toEqual(['i:a']);
  });

  it.each([
    ['in one piece', ['hunter2\r'], []],
    ['key by key, faster than the terminal can be asked', ['h', 'i', '\r'], []],
    ['and given up', ['hunter2', '\x03'], []],
    ['which is empty', ['\r'], ['i:\r']],
  ])('has no line that was sent before the answer about it: %s', async (_what, chunks, expected) => {
    const { recorder, recorded, questions, answer } = recording();
    recorder.start('/dev/pts/0');
    await answer(LINE);
    for (const chunk of chunks) recorder.input(Buffer.from(chunk));
    while (questions.length > 0) await answer(LINE);
    expect(recorded.filter((each) => each !== 'i:\r' && each !== 'i:\x03')).toEqual([]);
    expect(recorded).toEqual(expect.arrayContaining(expected));
  });

  it('has the line that was sent after the answer about it', async () => {
    const { recorder, recorded, answer } = recording();
    recorder.start('/dev/pts/0');
    await answer(LINE);
    for (const key of ['l', 's', '\r']) {
      recorder.input(Buffer.from(key));
      await answer(LINE);
    }
    expect(recorded).toEqual(['i:l', 'i:s', 'i:\r']);
  });

  it('asks again after output, one question at a time', async () => {
    const { recorder, questions, clock, answer } = recording();
    recorder.start('/dev/pts/0');
    for (let n = 0; n < 10; n++) recorder.output(Buffer.from('x'));
    expect(questions).toHaveLength(1);
    await answer(LINE);
    expect(questions).toHaveLength(0);
    clock.advance(20);
    expect(questions).toHaveLength(1);
  });

  it('leaves out what still waits at the end', async () => {
    const { recorder, recorded, answer } = recording();
    recorder.start('/dev/pts/0');
    await answer(LINE);
    recorder.input(Buffer.from('x'));
    recorder.close();
    await answer(LINE);
    expect(recorded).toEqual(['closed']);
  });
});
