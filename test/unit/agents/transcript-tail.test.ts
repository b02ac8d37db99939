import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MAX_LINE_BYTES, TranscriptTail } from '../../../src/agents/transcript-tail.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { silentLog } from '../../../src/base/log.ts';

describe('following a transcript', () => {
  let folder: string;
  let file: string;
  let lines: string[];
  const tails: TranscriptTail[] = [];
  const tail = (from: 'start' | 'end' | number): TranscriptTail => {
    const options = { clock: systemClock, log: silentLog, from, line: (text: string) => lines.push(text) };
    const made = new TranscriptTail(file, options);
    tails.push(made);
    return made;
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'agent-wrap-tail-'));
    file = join(folder, 'a.jsonl');
    lines = [];
  });
  afterEach(async () => {
    for (const one of tails.splice(0)) await one.close();
    rmSync(folder, { recursive: true });
  });

  it('starts at the end of a file that was there before', () => {
    writeFileSync(file, 'old\n');
    const one = tail('end');
    appendFileSync(file, 'new\n');
    one.read();
    expect(lines).toEqual(['new']);
  });

  it('starts where an earlier run was, and says where each line ends', () => {
    writeFileSync(file, 'old\nnéw\n');
    const ends: number[] = [];
    const line = (text: string, end: number) => {
      lines.push(text);
      ends.push(end);
    };
    const one = new TranscriptTail(file, { clock: systemClock, log: silentLog, from: 4, line });
    expect(one.found).toBe(9);
    appendFileSync(file, 'newer\n');
    one.read();
    expect(lines).toEqual(['néw', 'newer']);
    expect(ends).toEqual([9, 15]);
  });

  it('reads a file of this run from its start, also when it comes later', () => {
    const one = tail('end');
    one.read();
    writeFileSync(file, 'first\nsecond\n');
    one.read();
    expect(lines).toEqual(['first', 'second']);
  });

  it('tells of new lines by itself, also in a folder that is made later', async () => {
    file = join(folder, 'sub', 'a.jsonl');
    tail('start').start();
    mkdirSync(join(folder, 'sub'));
    writeFileSync(file, 'one\n');
    await vi.waitFor(() => expect(lines).toEqual(['one']), 5_000);
    appendFileSync(file, 'two\n');
    await vi.waitFor(() => expect(lines).toEqual(['one', 'two']), 5_000);
  });

  it('tells a line once, when its end is written, however it was cut', () => {
    const text = 'a\n\n{"b":"日本🎉"}\nlast one\nhalf';
    fc.assert(
      fc.property(fc.array(fc.nat(Buffer.byteLength(text)), { maxLength: 6 }), (cuts) => {
        rmSync(file, { force: true });
        lines = [];
        const one = tail('start');
        const bytes = Buffer.from(text);
        const at = [0, ...cuts.sort((a, b) => a - b), bytes.length];
        at.slice(1).forEach((end, i) => {
          appendFileSync(file, bytes.subarray(at[i], end));
          one.read();
        });
        expect(lines).toEqual(['a', '{"b":"日本🎉"}', 'last one']);
      }),
      { numRuns: 50 },
    );
  });

  it('reads what is there when it is closed, and nothing afterwards', async () => {
    const one = tail('start');
    one.start();
    writeFileSync(file, 'in time\n');
    await one.close();
    appendFileSync(file, 'late\n');
    await one.close();
    expect(lines).toEqual(['in time']);
  });

  it('reads a file that replaced the other from its start, a shortened one from its new end', () => {
    writeFileSync(file, 'one\n');
    const one = tail('start');
    one.read();
    writeFileSync(`${file}.new`, 'two\n');
    renameSync(`${file}.new`, file);
    one.read();
    truncateSync(file, 2);
    one.read();
    appendFileSync(file, 'three\n');
    one.read();
    expect(lines).toEqual(['one', 'two', 'three']);
  });

  it('tells a line whole that takes several reads', () => {
    const one = tail('start');
    const long = Array.from({ length: 40_000 }, (_, i) => `word ${i}`).join(' ');
    writeFileSync(file, `${long}\nnext\n`);
    one.read();
    expect(lines).toEqual([long, 'next']);
  });

  it('leaves out a line beyond the limit and goes on behind it', () => {
    const one = tail('start');
    writeFileSync(file, `${'x'.repeat(MAX_LINE_BYTES + 1)}\nshort\n`);
    one.read();
    expect(lines).toEqual(['short']);
  });
});
