import { execFileSync, spawnSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import type { RelayError } from '../../src/base/errors.ts';
import { silentLog } from '../../src/base/log.ts';
import { checkStore } from '../../src/daemon/store/check.ts';
import { diskFiles } from '../../src/daemon/store/files.ts';
import { SegmentLog } from '../../src/daemon/store/segment-log.ts';

let directory: string;
let mounted = false;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'agent-wrap-store-'));
});

afterEach(() => {
  // Lazily: a failed test may have left a file open there.
  if (mounted) execFileSync('umount', ['-l', directory]);
  mounted = false;
  rmSync(directory, { recursive: true });
});

async function opened(epoch: number) {
  const log = new SegmentLog({
    files: diskFiles(directory),
    epoch,
    fence: { check() {} },
    clock: systemClock,
    log: silentLog,
    durability: 'sync',
    limits: { segmentBytes: 64 * 1024 },
  });
  const recovered: string[] = [];
  for await (const record of log.recover()) recovered.push(record.toString());
  return { log, recovered };
}

const append = (log: SegmentLog, text: string) =>
  new Promise<RelayError | undefined>((resolve) => log.append(Buffer.from(text), resolve));

const segment = () => readdirSync(directory)[0] as string;

function replace(path: string): void {
  const bytes = readFileSync(path);
  rmSync(path);
  writeFileSync(path, bytes);
}

describe('P20 the store on a real disk', () => {
  it('recovers 2,000 records over many segments, and after a compaction', async () => {
    const texts = Array.from({ length: 2_000 }, (_, n) => `record ${n} ${'x'.repeat(n % 300)}`);
    const first = await opened(1);
    expect((await Promise.all(texts.map((text) => append(first.log, text)))).every((e) => !e)).toBe(true);
    await first.log.close();
    const second = await opened(2);
    expect(second.recovered).toEqual(texts);
    await second.log.compact(() => texts.slice(1_000).map((text) => Buffer.from(text)));
    await second.log.close();
    const third = await opened(3);
    expect(third.recovered).toEqual(texts.slice(1_000));
    await third.log.close();
    const report = await checkStore(diskFiles(directory));
    expect(report).toMatchObject({ records: 1_000, damage: [], foreign: [], unfinished: [] });
  });

  it('makes files that are ours alone, and follows no link', async () => {
    const elsewhere = join(directory, 'elsewhere');
    writeFileSync(elsewhere, 'not a segment');
    symlinkSync(elsewhere, join(directory, '0000000001-0000000001.log'));
    const { log } = await opened(1);
    expect(log.damage).toMatchObject([{ segment: '0000000001-0000000001.log', kind: 'unreadable' }]);
    await append(log, 'ours');
    await log.close();
    const mode = statSync(join(directory, '0000000001-0000000002.log')).mode & 0o777;
    expect(mode).toBe(0o600);
  });

  it.each([
    ['its segment is moved away', () => renameSync(join(directory, segment()), join(directory, 'aside'))],
    ['another file takes the place of its segment', () => replace(join(directory, segment()))],
    ['the store is moved away', () => renameSync(directory, `${directory}.moved`)],
  ])('promises nothing more once %s', async (_, harm) => {
    const { log } = await opened(1);
    expect(await append(log, 'before')).toBeUndefined();
    harm();
    expect(await append(log, 'after')).toMatchObject({ code: 'STORE_FAILED' });
    await log.close();
    rmSync(`${directory}.moved`, { recursive: true, force: true });
    mkdirSync(directory, { recursive: true });
  });

  it('refuses on a full tmpfs of 1 MB, loses nothing it promised, and goes on when there is room', async (context) => {
    const mount = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', directory]);
    if (mount.status !== 0) {
      console.log('mounting a tmpfs is refused here: ENOSPC was tested on the simulated disk only');
      context.skip();
    }
    mounted = true;
    const { log } = await opened(1);
    const promised: string[] = [];
    let refused: RelayError | undefined;
    for (let n = 0; refused === undefined; n += 1) {
      const text = `record ${n} `.padEnd(5_000, 'x');
      refused = await append(log, text);
      if (refused === undefined) promised.push(text);
    }
    expect(refused).toMatchObject({ code: 'STORE_FULL' });
    await log.close();
    const report = await checkStore(diskFiles(directory));
    expect(report).toMatchObject({ records: promised.length, damage: [], tail: undefined });
    const keep = promised.slice(-3);
    execFileSync('mount', ['-o', 'remount,size=2m', directory]);
    const third = await opened(2);
    expect(third.recovered).toEqual(promised);
    await third.log.compact(() => keep.map((text) => Buffer.from(text)));
    expect(await append(third.log, 'after')).toBeUndefined();
    await third.log.close();
    expect(readdirSync(directory).length).toBe(2);
    const fourth = await opened(3);
    expect(fourth.recovered).toEqual([...keep, 'after']);
    await fourth.log.close();
  });
});

describe('agent-wrap store check', () => {
  const run = (...args: string[]) =>
    spawnSync(process.execPath, ['--import', 'tsx', 'src/cli/main.ts', 'store', 'check', ...args], {
      encoding: 'utf8',
    });

  it('says that a sound store is sound, and exits 0', async () => {
    const { log } = await opened(1);
    await append(log, 'one');
    await log.close();
    const { status, stdout } = run(directory);
    expect({ status, stdout }).toMatchObject({ status: 0, stdout: expect.stringContaining('sound') });
  });

  it('says where a store is damaged, and exits 1', async () => {
    const { log } = await opened(1);
    await append(log, 'one');
    await append(log, 'two');
    await log.close();
    const [name] = readdirSync(directory);
    const path = join(directory, name ?? '');
    const file = diskFiles(directory);
    const bytes = Buffer.alloc(200);
    const read = await (await file.open(name ?? '')).read(bytes, 0);
    bytes.writeUInt8(bytes.readUInt8(142) ^ 4, 142);
    writeFileSync(path, bytes.subarray(0, read));
    const { status, stdout } = run(directory, '--json');
    expect(status).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ records: 1, damage: [{ segment: name, offset: 128 }] });
  });

  it('finds the store in the directory of a relay, and says where there is none', async () => {
    const inside = join(directory, 'store');
    writeFileSync(join(directory, 'notes.txt'), 'not ours');
    expect(run(directory)).toMatchObject({
      status: 1,
      stdout: '',
      stderr: expect.stringContaining('no segment'),
    });
    mkdirSync(inside);
    expect(run(inside)).toMatchObject({ status: 1, stderr: expect.stringContaining('no segment') });
    writeFileSync(join(inside, '0000000001-0000000001.log'), 'no header');
    expect(run(directory)).toMatchObject({
      status: 1,
      stdout: expect.stringContaining('1 finding of damage'),
    });
  });

  it('says so when there is no such directory', () => {
    const { status, stderr } = run(join(directory, 'nowhere'));
    expect({ status, stderr }).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('FILE_UNREADABLE'),
    });
  });
});
