import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../../src/base/clock.ts';
import { RelayError } from '../../../../src/base/errors.ts';
import { silentLog } from '../../../../src/base/log.ts';
import { checkStore } from '../../../../src/daemon/store/check.ts';
import type { Files, OpenFile } from '../../../../src/daemon/store/files.ts';
import { MAX_RECORD_BYTES } from '../../../../src/daemon/store/record.ts';
import { SEGMENT_HEADER_BYTES, STORE_FORMAT } from '../../../../src/daemon/store/segment.ts';
import { SegmentLog, type SegmentLogOptions } from '../../../../src/daemon/store/segment-log.ts';
import { FakeClock, settle } from '../../../helpers/fake-clock.ts';
import { Random, SimDisk, SimScheduler } from '../../../helpers/sim-files.ts';

/** A simulated disk whose operations happen by themselves, in order. */
function disk(): { disk: SimDisk; files: Files } {
  const random = new Random(7);
  const scheduler = new SimScheduler(random);
  scheduler.later = (fn) => void setImmediate(fn);
  const simulated = new SimDisk(random, scheduler);
  return { disk: simulated, files: simulated.files({ alive: true }) };
}

const newLog = (files: Files, epoch: number, { limits, ...more }: Partial<SegmentLogOptions> = {}) =>
  new SegmentLog({
    files,
    epoch,
    fence: { check() {} },
    clock: new FakeClock(1_000),
    log: silentLog,
    durability: 'sync',
    limits: { spareBytes: 0, ...limits },
    marker: () => 0xa1b2c3d4,
    ...more,
  });

async function opened(files: Files, epoch: number, options: Partial<SegmentLogOptions> = {}) {
  const log = newLog(files, epoch, options);
  const recovered: string[] = [];
  for await (const record of log.recover()) recovered.push(record.toString());
  return { log, recovered };
}

const append = (log: SegmentLog, text: string) =>
  new Promise<RelayError | undefined>((resolve) => log.append(Buffer.from(text), resolve));

/** Five records, each a group of its own, in segments of two. */
async function fiveRecords() {
  const world = disk();
  const { log } = await opened(world.files, 1, { limits: { segmentBytes: SEGMENT_HEADER_BYTES + 40 } });
  for (const text of ['record one', 'record two', 'record three', 'record four', 'record five']) {
    expect(await append(log, text)).toBeUndefined();
  }
  await log.close();
  return world;
}

const ALL = ['record one', 'record two', 'record three', 'record four', 'record five'];

describe('P20 recovery', () => {
  it('gives what was promised, once and in order, to each later leader', async () => {
    const { files } = await fiveRecords();
    for (const epoch of [2, 3, 4]) {
      const { log, recovered } = await opened(files, epoch);
      expect(recovered).toEqual(ALL);
      expect(log.damage).toEqual([]);
      await log.close();
    }
  });

  it('opens anew in the same epoch', async () => {
    const { files } = await fiveRecords();
    const { log, recovered } = await opened(files, 1);
    expect(recovered).toEqual(ALL);
    expect(await append(log, 'six')).toBeUndefined();
    await log.close();
    expect((await opened(files, 2)).recovered).toEqual([...ALL, 'six']);
  });

  it('syncs at once what it found and what it wrote, before that gets its name', async () => {
    const { files } = await fiveRecords();
    const calls: string[] = [];
    const told = async <T>(what: string, call: Promise<T>): Promise<T> => {
      calls.push(`${what} …`);
      const result = await call;
      calls.push(what);
      return result;
    };
    const watch = (name: string, file: OpenFile): OpenFile => ({
      ...file,
      sync: () => told(`sync ${name}`, file.sync()),
    });
    const watched: Files = {
      ...files,
      syncNames: () => told('sync names', files.syncNames()),
      create: async (name) => watch(name, await files.create(name)),
      open: async (name) => watch(name, await files.open(name)),
      publish: (from, to) => told(`publish ${to}`, files.publish(from, to)),
    };
    await opened(watched, 2);
    const synced = ['sync 0000000002-0000000001.log.tmp', 'sync 0000000001-0000000003.log', 'sync names'];
    expect(calls).toEqual([
      ...synced.map((what) => `${what} …`),
      ...synced,
      'publish 0000000002-0000000001.log …',
      'publish 0000000002-0000000001.log',
      'sync names …',
      'sync names',
    ]);
  });

  it('does not end what another wrote if it is deposed while it syncs', async () => {
    const { disk, files } = await fiveRecords();
    let deposed = false;
    const fence = {
      check() {
        if (deposed) throw new RelayError('DEPOSED', 'epoch 3 has begun');
      },
    };
    const watched: Files = {
      ...files,
      syncNames: async () => {
        await files.syncNames();
        deposed = true;
      },
    };
    const before = disk.names;
    await expect(opened(watched, 2, { fence })).rejects.toMatchObject({ code: 'DEPOSED' });
    expect(disk.names).toEqual(before);
  });

  it('refuses to turn the epoch back', async () => {
    const { files } = await fiveRecords();
    await (await opened(files, 5)).log.close();
    await expect(opened(files, 4)).rejects.toMatchObject({ code: 'DEPOSED' });
  });

  it('refuses a store that a later version wrote, and leaves it as it is', async () => {
    const { disk: simulated, files } = await fiveRecords();
    const header = simulated.contents(simulated.names[0] ?? '').subarray(0, 64);
    const later = Buffer.from(header);
    later.writeUInt16BE(STORE_FORMAT + 1, 8);
    const { crc32 } = await import('node:zlib');
    later.writeUInt32BE(crc32(later.subarray(0, 60)), 60);
    later.copy(simulated.contents(simulated.names[0] ?? ''), 0);
    const before = simulated.names;
    await expect(opened(files, 2)).rejects.toMatchObject({ code: 'STORE_TOO_NEW' });
    expect(simulated.names).toEqual(before);
  });

  it('recovers exactly the whole records when the newest segment is cut at any byte', async () => {
    const whole = disk();
    const { log } = await opened(whole.files, 1);
    for (const text of ALL) await append(log, text);
    await log.close();
    const name = whole.disk.names[0] ?? '';
    const bytes = Buffer.from(whole.disk.contents(name));
    for (let length = SEGMENT_HEADER_BYTES; length <= bytes.length; length += 1) {
      const cut = disk();
      cut.disk.place(name, bytes.subarray(0, length));
      let end = SEGMENT_HEADER_BYTES;
      const expected = ALL.filter((text) => {
        end += 13 + text.length;
        return end <= length;
      });
      const { log: again, recovered } = await opened(cut.files, 2);
      expect(recovered, `cut at ${length}`).toEqual(expected);
      expect(again.damage).toEqual([]);
      await again.close();
    }
  });

  it('finds every flipped bit, never delivers it, and reads on behind it', async () => {
    const { disk: simulated } = await fiveRecords();
    const original = new Map(simulated.names.map((name) => [name, Buffer.from(simulated.contents(name))]));
    for (const [name, bytes] of original) {
      for (let bit = 0; bit < bytes.length * 8; bit += 1) {
        const { disk: flipped, files } = disk();
        for (const [each, content] of original) flipped.place(each, content);
        const target = flipped.contents(name);
        target.writeUInt8(target.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
        const { log, recovered } = await opened(files, 2);
        const report = await checkStore(copyOf(original, name, target));
        const at = `${name} bit ${bit}`;
        expect(ALL, at).toEqual(expect.arrayContaining(recovered));
        expect(recovered.length, at).toBeGreaterThanOrEqual(ALL.length - 1);
        expect(report.damage.length + (report.tail ? 1 : 0), at).toBeGreaterThan(0);
        await log.close();
      }
    }
  }, 60_000);

  it('is not led astray by a body that looks like a record', async () => {
    const { disk: simulated, files } = disk();
    const { log } = await opened(files, 1);
    await append(log, 'first');
    const forged = Buffer.from(simulated.contents(simulated.names[0] ?? '')).subarray(SEGMENT_HEADER_BYTES);
    await log.close();
    const { log: second } = await opened(files, 2, { marker: () => 0x55667788 });
    await append(second, `a body with ${forged.toString('latin1')}`);
    await append(second, 'last');
    await second.close();
    const name = simulated.names[1] ?? '';
    const content = simulated.contents(name);
    const at = content.indexOf('a body with');
    content.writeUInt8(content.readUInt8(at) ^ 1, at);
    const { log: third, recovered } = await opened(files, 3);
    expect(recovered).toEqual(['first', 'last']);
    expect(third.damage).toMatchObject([{ segment: name, kind: 'record' }]);
  });

  it('says that a segment in the middle is gone, and reads the others', async () => {
    const { disk: simulated, files } = await fiveRecords();
    simulated.remove(simulated.names[1] ?? '');
    const { log, recovered } = await opened(files, 2);
    expect(recovered).toEqual(['record one', 'record two', 'record five']);
    expect(log.damage).toMatchObject([{ kind: 'missing' }]);
  });

  it('leaves foreign files alone and removes what was begun and never named', async () => {
    const { disk: simulated, files } = await fiveRecords();
    simulated.place('notes.txt', Buffer.from('mine'));
    simulated.place('0000000001-0000000009.log.tmp', Buffer.from('x'));
    expect(await checkStore(files)).toMatchObject({
      foreign: ['notes.txt'],
      unfinished: ['0000000001-0000000009.log.tmp'],
      damage: [],
    });
    await opened(files, 2);
    expect(simulated.names).toContain('notes.txt');
    expect(simulated.names).not.toContain('0000000001-0000000009.log.tmp');
  });
});

/** The same files in a disk of their own, one of them replaced. */
function copyOf(original: Map<string, Buffer>, name: string, bytes: Buffer): Files {
  const { disk: simulated, files } = disk();
  for (const [each, content] of original) simulated.place(each, each === name ? bytes : content);
  return files;
}

describe('P12, P20 appending', () => {
  it('answers later, in order, and once the fence was passed for each group', async () => {
    let checks = 0;
    const { files } = disk();
    const { log } = await opened(files, 1, { fence: { check: () => void checks++ } });
    checks = 0;
    const answers: number[] = [];
    const all = [0, 1, 2, 3].map(
      (n) =>
        new Promise<void>((resolve) => {
          log.append(Buffer.from(`r${n}`), () => {
            answers.push(n);
            resolve();
          });
        }),
    );
    expect(answers).toEqual([]);
    await Promise.all(all);
    expect(answers).toEqual([0, 1, 2, 3]);
    expect(checks).toBe(1);
  });

  it('lets a record for which nobody waits join the next group, in its place', async () => {
    let checks = 0;
    const { files } = disk();
    const { log } = await opened(files, 1, { fence: { check: () => void checks++ } });
    checks = 0;
    const answers: string[] = [];
    log.append(Buffer.from('end'), () => answers.push('end'), 'soon');
    await append(log, 'message').then(() => answers.push('message'));
    expect(answers).toEqual(['end', 'message']);
    expect(checks).toBe(1);
  });

  it('writes a record for which nobody waits after a while, and at its close at once', async () => {
    const { files } = disk();
    const clock = new FakeClock();
    const { log } = await opened(files, 1, { clock });
    const lingering = (text: string) =>
      new Promise<RelayError | undefined>((resolve) => log.append(Buffer.from(text), resolve, 'soon'));
    const first = lingering('first');
    await settle();
    expect(clock.timers).toBe(1);
    clock.advance(2);
    expect(await first).toBeUndefined();
    const second = lingering('second');
    await log.close();
    expect(await second).toBeUndefined();
    expect(clock.timers).toBe(0);
    expect((await opened(files, 2)).recovered).toEqual(['first', 'second']);
  });

  it('does not let a compaction wait for what lingers', async () => {
    const { files } = disk();
    const { log } = await opened(files, 1);
    const end = new Promise<RelayError | undefined>((resolve) =>
      log.append(Buffer.from('end'), resolve, 'soon'),
    );
    await log.compact(() => [Buffer.from('snapshot')]);
    expect(await end).toBeUndefined();
  });

  it('answers a few in each turn, and nobody more once it was deposed in between', async () => {
    const { files } = disk();
    let deposed = false;
    let turns = 0;
    const fence = {
      check() {
        if (deposed) throw new RelayError('DEPOSED', 'epoch 2 has begun');
      },
    };
    const soon = (fn: () => void) =>
      void setImmediate(() => {
        turns += 1;
        fn();
      });
    const { log } = await opened(files, 1, { fence, soon });
    const began: number[] = [];
    const codes = await Promise.all(
      Array.from(
        { length: 100 },
        (_, n) =>
          new Promise<string>((resolve) =>
            log.append(Buffer.from(`${n}`), (error) => {
              began.push(turns);
              if (n === 40) deposed = true;
              resolve(error?.code ?? 'promised');
            }),
          ),
      ),
    );
    expect(new Set(began).size).toBe(4);
    expect(codes.filter((code) => code === 'promised')).toHaveLength(64);
    expect(codes.slice(64).every((code) => code === 'DEPOSED')).toBe(true);
  });

  it.each(['EMFILE', 'ENFILE'])('waits for file descriptors to look whether it leads (%s)', async (code) => {
    const { files } = disk();
    let lacking = true;
    const fence = {
      check() {
        if (lacking) throw Object.assign(new Error('too many open files'), { code });
      },
    };
    const clock = new FakeClock();
    lacking = false;
    const { log } = await opened(files, 1, { fence, clock });
    lacking = true;
    let answer: unknown = 'none yet';
    const first = append(log, 'first').then((error) => {
      answer = error;
    });
    for (let n = 0; n < 10; n += 1) {
      await settle();
      await clock.advanceAsync(20);
    }
    expect(answer).toBe('none yet');
    lacking = false;
    await clock.advanceAsync(20);
    await first;
    expect(answer).toBeUndefined();
    expect(await append(log, 'second')).toBeUndefined();
  });

  it('waits for a descriptor for its next segment', async () => {
    const { files } = disk();
    let lacking = 0;
    const scarce: Files = {
      ...files,
      create: (name) => {
        if (lacking-- > 0) throw Object.assign(new Error('too many open files'), { code: 'EMFILE' });
        return files.create(name);
      },
      syncNames: () => {
        if (lacking-- > 0) throw Object.assign(new Error('too many open files'), { code: 'EMFILE' });
        return files.syncNames();
      },
    };
    const limits = { segmentBytes: SEGMENT_HEADER_BYTES + 10 };
    const { log } = await opened(scarce, 1, { limits, clock: systemClock });
    await append(log, 'record one');
    for (lacking of [1, 2, 3]) expect(await append(log, `after ${lacking}`)).toBeUndefined();
    await log.close();
    expect((await opened(files, 2)).recovered).toEqual(['record one', 'after 1', 'after 2', 'after 3']);
  });

  it('fails all that comes after it was deposed, and the record does not count for the successor', async () => {
    const { files } = disk();
    let deposed = false;
    const fence = {
      check() {
        if (deposed) throw new RelayError('DEPOSED', 'epoch 2 has begun');
      },
    };
    const { log } = await opened(files, 1, { fence });
    await append(log, 'kept');
    deposed = true;
    const successor = await opened(files, 2);
    expect(successor.recovered).toEqual(['kept']);
    expect(await append(log, 'late')).toMatchObject({ code: 'DEPOSED' });
    expect(await append(log, 'later')).toMatchObject({ code: 'DEPOSED' });
    await successor.log.close();
    expect((await opened(files, 3)).recovered).toEqual(['kept']);
  });

  it('refuses a group for which there is no room, takes its bytes back, and goes on when there is', async () => {
    const { disk: simulated, files } = disk();
    const { log } = await opened(files, 1);
    await append(log, 'before');
    simulated.free = 20;
    expect(await append(log, 'x'.repeat(100))).toMatchObject({ code: 'STORE_FULL' });
    expect(await append(log, 'fits')).toBeUndefined();
    simulated.free = Number.POSITIVE_INFINITY;
    expect(await append(log, 'after')).toBeUndefined();
    await log.close();
    const { log: next, recovered } = await opened(files, 2);
    expect(recovered).toEqual(['before', 'fits', 'after']);
    expect(next.damage).toEqual([]);
  });

  it.each(['failingSyncs', 'failingWrites'] as const)('fails for good after EIO (%s)', async (fault) => {
    const { disk: simulated, files } = disk();
    const { log } = await opened(files, 1);
    await append(log, 'before');
    simulated[fault] = 1;
    expect(await append(log, 'lost')).toMatchObject({ code: 'STORE_FAILED' });
    expect(await append(log, 'later')).toMatchObject({ code: 'STORE_FAILED' });
  });

  it('fails for good when a sync finds no room: nobody knows what of it stands on the disk', async () => {
    const { files } = disk();
    const full = Object.assign(new Error('no room'), { code: 'ENOSPC' });
    let syncs = 0;
    const lying: Files = {
      ...files,
      create: async (name) => {
        const file = await files.create(name);
        return { ...file, sync: () => (++syncs === 2 ? Promise.reject(full) : file.sync()) };
      },
    };
    const { log } = await opened(lying, 1);
    expect(await append(log, 'lost')).toMatchObject({ code: 'STORE_FAILED' });
    expect(await append(log, 'later')).toMatchObject({ code: 'STORE_FAILED' });
  });

  it('notices that its segment was swept away', async () => {
    const { disk: simulated, files } = disk();
    const { log } = await opened(files, 1);
    simulated.remove(simulated.names[0] ?? '');
    expect(await append(log, 'nowhere')).toMatchObject({ code: 'STORE_FAILED' });
  });

  it('refuses a record that is too long, and only that', async () => {
    const { files } = disk();
    const { log } = await opened(files, 1);
    const answers = Promise.all([
      append(log, 'a'),
      append(log, 'x'.repeat(MAX_RECORD_BYTES + 1)),
      append(log, 'b'),
    ]);
    expect(await answers).toMatchObject([undefined, { code: 'MESSAGE_TOO_LARGE' }, undefined]);
  });

  it('waits at its close for what was appended, and refuses what comes after', async () => {
    const { files } = disk();
    const { log } = await opened(files, 1);
    const first = append(log, 'in time');
    await log.close();
    await log.close();
    expect(await first).toBeUndefined();
    expect(await append(log, 'too late')).toMatchObject({ code: 'SHUTTING_DOWN' });
  });
});

describe('P20 a store that is closed while it recovers', () => {
  it('leaves no file open and takes nothing, wherever it was', async () => {
    for (let steps = 0, over = false; !over; steps++) {
      const random = new Random(steps);
      const scheduler = new SimScheduler(random);
      const simulated = new SimDisk(random, scheduler);
      const process = { alive: true };
      const log = newLog(simulated.files(process), 1);
      let state: unknown = 'recovering';
      const recover = async () => {
        for await (const record of log.recover()) void record;
      };
      recover().then(
        () => {
          state = 'ready';
        },
        (error: RelayError) => {
          state = error.code;
        },
      );
      for (let n = 0; n < steps && !over; n++) over = !(await scheduler.step());
      let closed = false;
      void log.close().then(() => {
        closed = true;
      });
      while (!closed || state === 'recovering') {
        while (await scheduler.step());
        await settle();
      }
      expect(over ? ['ready'] : ['ready', 'SHUTTING_DOWN']).toContain(state);
      expect(simulated.openFiles(process), `closed after ${steps} steps`).toBe(0);
      expect(await append(log, 'late')).toMatchObject({ code: 'SHUTTING_DOWN' });
    }
  });
});

describe('P12 zeros ahead of the records', () => {
  const spare = { limits: { spareBytes: 800 } };

  it('lets a small group change nothing but bytes that were synced before', async () => {
    const { disk: simulated, files } = disk();
    const { log } = await opened(files, 1, spare);
    const length = simulated.contents(simulated.names[0] ?? '').length;
    for (const text of ['one', 'two', 'three']) await append(log, text);
    expect(simulated.contents(simulated.names[0] ?? '')).toHaveLength(length);
    for (let n = 0; n < 20; n += 1) await append(log, `more ${n}`);
    expect(simulated.contents(simulated.names[0] ?? '').length).toBeGreaterThan(length);
  });

  it('takes them for a clean end after kill -9, and gives them back at a close', async () => {
    const { disk: simulated, files } = disk();
    const { log: killed } = await opened(files, 1, spare);
    for (const text of ['one', 'two']) await append(killed, text);
    const { log, recovered } = await opened(files, 2, spare);
    expect(recovered).toEqual(['one', 'two']);
    expect(log.damage).toEqual([]);
    expect(await checkStore(files)).toMatchObject({ damage: [], tail: undefined });
    await append(log, 'three');
    await log.close();
    const content = simulated.contents(simulated.names[1] ?? '');
    expect(content.subarray(-5).toString()).toBe('three');
    expect((await opened(files, 3, spare)).recovered).toEqual(['one', 'two', 'three']);
  });

  it('says so when one of them is none any more', async () => {
    const { disk: simulated, files } = disk();
    const { log: killed } = await opened(files, 1, spare);
    await append(killed, 'one');
    const content = simulated.contents(simulated.names[0] ?? '');
    content.writeUInt8(1, content.length - 7);
    expect(await checkStore(files)).toMatchObject({
      records: 1,
      damage: [],
      tail: { bytes: expect.any(Number) },
    });
    expect((await opened(files, 2, spare)).recovered).toEqual(['one']);
  });

  it('keeps to a torn group what it was: bytes behind it that were written do not count', async () => {
    const { disk: simulated, files } = disk();
    const { log: killed } = await opened(files, 1, spare);
    for (const text of ['one', 'two']) await append(killed, text);
    const content = simulated.contents(simulated.names[0] ?? '');
    content.fill(0, content.indexOf('two') - 13, content.indexOf('two') + 1);
    expect((await opened(files, 2, spare)).recovered).toEqual(['one']);
  });

  it('goes without where there is no room for them, and refuses only what finds none itself', async () => {
    const { disk: simulated, files } = disk();
    simulated.free = 150;
    const { log } = await opened(files, 1, spare);
    expect(await append(log, 'fits')).toBeUndefined();
    expect(await append(log, 'x'.repeat(100))).toMatchObject({ code: 'STORE_FULL' });
    simulated.free = Number.POSITIVE_INFINITY;
    expect(await append(log, 'after')).toBeUndefined();
    await log.close();
    expect((await opened(files, 2)).recovered).toEqual(['fits', 'after']);
  });
});

describe('issue 4 retention', () => {
  it('replaces what was by a snapshot, keeps what comes after, and drops the rest', async () => {
    const { disk: simulated, files } = await fiveRecords();
    const { log, recovered } = await opened(files, 2);
    expect(recovered).toEqual(ALL);
    const before = log.figures;
    await Promise.all([log.compact(() => [Buffer.from('record five')]), append(log, 'six')]);
    await append(log, 'seven');
    expect(log.figures.segments).toBeLessThan(before.segments);
    expect(simulated.names).toEqual(['0000000002-0000000001.snap', '0000000002-0000000002.log']);
    await log.close();
    expect((await opened(files, 3)).recovered).toEqual(['record five', 'six', 'seven']);
  });

  it('sets a damaged segment aside instead of dropping it', async () => {
    const { disk: simulated, files } = await fiveRecords();
    const content = simulated.contents(simulated.names[0] ?? '');
    content.writeUInt8(content.readUInt8(SEGMENT_HEADER_BYTES + 20) ^ 1, SEGMENT_HEADER_BYTES + 20);
    const { log } = await opened(files, 2);
    await log.compact(() => []);
    expect(simulated.names).toContain('0000000001-0000000001.log.damaged');
    expect((await checkStore(files)).setAside).toEqual(['0000000001-0000000001.log.damaged']);
  });

  it('leaves the log as it was when there is no room for the snapshot', async () => {
    const { disk: simulated, files } = await fiveRecords();
    const { log } = await opened(files, 2);
    simulated.free = 150;
    await expect(log.compact(() => [Buffer.alloc(1_000)])).rejects.toMatchObject({ code: 'STORE_FULL' });
    simulated.free = Number.POSITIVE_INFINITY;
    await append(log, 'six');
    await log.close();
    expect((await opened(files, 3)).recovered).toEqual([...ALL, 'six']);
  });
});
