import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lineLog, silentLog } from '../../../src/base/log.ts';
import { readCast } from '../../../src/terminal/cast.ts';
import { CastFile } from '../../../src/terminal/cast-file.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';

const header = { width: 80, height: 24, command: 'x' };
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'agent-wrap-cast-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function eventsOf(path: string): Promise<unknown[]> {
  const { events } = await readCast(path);
  const all: unknown[] = [];
  for await (const event of events) all.push(event);
  return all;
}

describe('a recording on disk', () => {
  it('can be read at any moment, also when nobody closes it', async () => {
    const path = join(folder, 'a.cast');
    const clock = new FakeClock();
    const file = new CastFile({ path, header, clock, log: silentLog });
    clock.advance(1500);
    file.output(Buffer.from('hello'));
    file.resize(100, 30);
    file.input(Buffer.from('x'));
    expect(await eventsOf(path)).toEqual([
      { time: 1.5, kind: 'o', text: 'hello' },
      { time: 1.5, kind: 'r', cols: 100, rows: 30 },
      { time: 1.5, kind: 'i', text: 'x' },
    ]);
    file.close();
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('never splits a character', async () => {
    const path = join(folder, 'a.cast');
    const file = new CastFile({ path, header, clock: new FakeClock(), log: silentLog });
    for (const byte of Buffer.from('é€😀')) file.output(Buffer.of(byte));
    file.output(Buffer.of(0xe2));
    file.close();
    file.close();
    const events = (await eventsOf(path)) as { text: string }[];
    expect(events.map(({ text }) => text)).toEqual(['é', '€', '😀', '\ufffd']);
  });

  it('does not replace a file, unless told to', () => {
    const path = join(folder, 'a.cast');
    const options = { path, header, clock: new FakeClock(), log: silentLog };
    new CastFile(options).close();
    expect(() => new CastFile(options)).toThrow(/EEXIST/);
    new CastFile({ ...options, overwrite: true }).close();
    expect(() => new CastFile({ ...options, path: join(folder, 'no/a.cast') })).toThrow(/ENOENT/);
  });

  it('ends with a line in the log when the disk is full, and hurts nobody', () => {
    const logged: string[] = [];
    const log = lineLog((line) => logged.push(line));
    const file = new CastFile({ path: '/dev/full', header, overwrite: true, clock: new FakeClock(), log });
    file.output(Buffer.from('x'));
    file.close();
    expect(logged).toHaveLength(1);
    expect(logged[0]).toMatch(/record\.stopped.*ENOSPC/);
  });

  it('names what was run', () => {
    const path = join(folder, 'a.cast');
    new CastFile({ path, header, clock: new FakeClock(), log: silentLog }).close();
    expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({
      version: 2,
      command: 'x',
      timestamp: expect.any(Number),
    });
  });
});
