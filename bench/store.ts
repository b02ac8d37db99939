/**
 * `npx tsx bench/store.ts [directory]`: appends a second and the wait of a single one, at both
 * durabilities, beside a bare loop of write and fdatasync in the same run.
 */
import { closeSync, fdatasyncSync, mkdirSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../src/base/clock.ts';
import { silentLog } from '../src/base/log.ts';
import { diskFiles } from '../src/daemon/store/files.ts';
import type { Durability } from '../src/daemon/store/segment.ts';
import { SegmentLog } from '../src/daemon/store/segment-log.ts';

const RECORD_BYTES = 200;
const parent = process.argv[2] ?? 'dist/bench';
mkdirSync(parent, { recursive: true });
const directory = mkdtempSync(join(parent, 'store-'));
const record = Buffer.alloc(RECORD_BYTES, 'x');

interface Result {
  name: string;
  perSecond: number;
  p50: number;
  p99: number;
}

function summary(name: string, waits: number[], elapsedMs: number): Result {
  const sorted = waits.sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor(sorted.length * share)] ?? 0;
  return { name, perSecond: (waits.length / elapsedMs) * 1000, p50: at(0.5), p99: at(0.99) };
}

function bare(name: string, count: number, step: (fd: number) => void): Result {
  const fd = openSync(join(directory, `bare-${name.replaceAll(/\W/g, '')}`), 'ax');
  const waits: number[] = [];
  const start = performance.now();
  for (let n = 0; n < count; n += 1) {
    const from = performance.now();
    step(fd);
    waits.push(performance.now() - from);
  }
  const result = summary(name, waits, performance.now() - start);
  closeSync(fd);
  return result;
}

async function segmentLog(durability: Durability, inflight: number, count: number): Promise<Result> {
  const log = new SegmentLog({
    files: diskFiles(join(directory, `${durability}-${inflight}`)),
    epoch: 1,
    fence: { check() {} },
    clock: systemClock,
    log: silentLog,
    durability,
  });
  for await (const _ of log.recover());
  const waits: number[] = [];
  const start = performance.now();
  let begun = 0;
  await new Promise<void>((resolve, reject) => {
    const next = () => {
      if (begun === count) return;
      begun += 1;
      const from = performance.now();
      log.append(record, (error) => {
        if (error) return reject(error);
        waits.push(performance.now() - from);
        if (waits.length === count) resolve();
        else next();
      });
    };
    for (let n = 0; n < inflight; n += 1) next();
  });
  const result = summary(`${durability}, ${inflight} in flight`, waits, performance.now() - start);
  await log.close();
  return result;
}

async function recovery(): Promise<void> {
  const files = diskFiles(join(directory, 'sync-256'), { make: false });
  const fence = { check() {} };
  const start = performance.now();
  const log = new SegmentLog({
    files,
    epoch: 2,
    fence,
    clock: systemClock,
    log: silentLog,
    durability: 'sync',
  });
  let records = 0;
  for await (const _ of log.recover()) records += 1;
  const took = performance.now() - start;
  await log.close();
  console.log(`recovery of ${records} records: ${took.toFixed(1)} ms`);
}

try {
  const results = [
    bare('bare write + fdatasync', 3_000, (fd) => {
      writeSync(fd, record);
      fdatasyncSync(fd);
    }),
    await segmentLog('sync', 1, 3_000),
    await segmentLog('sync', 256, 200_000),
    bare('bare write', 100_000, (fd) => writeSync(fd, record)),
    await segmentLog('process', 1, 50_000),
    await segmentLog('process', 256, 400_000),
  ];
  for (const { name, perSecond, p50, p99 } of results) {
    const rate = perSecond.toFixed(0).padStart(8);
    console.log(`${name.padEnd(24)} ${rate}/s   p50 ${p50.toFixed(3)} ms   p99 ${p99.toFixed(3)} ms`);
  }
  await recovery();
} finally {
  rmSync(directory, { recursive: true });
}
