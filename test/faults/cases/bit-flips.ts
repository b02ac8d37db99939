/** One bit of the store is not as it was written. docs/store.md "Recovery", "Check". */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ChainLink, closeAll, findChain } from '../../../src/daemon/store/chain.ts';
import { checkStore } from '../../../src/daemon/store/check.ts';
import { diskFiles } from '../../../src/daemon/store/files.ts';
import { GROUP_START } from '../../../src/daemon/store/record.ts';
import { scanRecords } from '../../../src/daemon/store/scan.ts';
import { SEGMENT_HEADER_BYTES } from '../../../src/daemon/store/segment.ts';
import { DaemonProcess, makeRelayDirectory, withState } from '../daemon-process.ts';
import type { Fault } from '../fault.ts';
import { Recoverer } from '../recoverer.ts';
import { type Judged, judge, numberIn, Sender, Tally } from '../sender.ts';
import { writtenBytes } from '../written-bytes.ts';

const SEGMENTS = 4;
const MESSAGES = 12;
/** Of the zeros that lie ahead. */
const SPARE = 100;

export const fault: Fault = {
  name: 'bit-flips',
  criterion:
    'any one bit of the store is flipped: `store check` and the next daemon say so, nothing is delivered that was not ' +
    'sent, at most the message whose record was hit is missing, all others and later segments are read',
  run: ({ amount, random, say }) =>
    withState(async (state) => {
      const flips = amount('flips', { quick: 6, usual: 60, full: 1_000 });
      const tally = new Tally();
      const stored: number[] = [];
      const store = join(makeRelayDirectory(state), 'store');
      // Each reign begins a segment.
      for (let n = 0; n < SEGMENTS; n++) {
        const daemon = await DaemonProcess.start(state);
        const sender = await Sender.join(state, n * MESSAGES + 1);
        for (let sent = 0; sent < MESSAGES; sent++) await sender.sendAll(1, 60);
        stored.push(...sender.stored);
        sender.close();
        await daemon.kill();
      }
      const { links, strays } = await findChain(diskFiles(store));
      const records = await Promise.all(links.map(readPlaces));
      await closeAll([...links, ...strays]);
      const sound = await checkStore(diskFiles(store));
      if (sound.damage.length > 0 || sound.tail !== undefined)
        throw new Error(`not sound before any flip: ${JSON.stringify(sound)}`);
      // What lies behind the end that a successor names does not count, and is nobody's damage.
      const ends = links.map(
        ({ end, name, size }) => end ?? Math.min(size, writtenBytes(join(store, name)) + SPARE),
      );
      const total = ends.reduce((sum, end) => sum + end, 0);
      tally.stored = stored.length;
      let hit = 0;
      const next = new Recoverer(state);
      for (let n = 0; n < flips; n++) {
        let at = random.below(total);
        let file = 0;
        while (at >= (ends[file] as number)) at -= ends[file++] as number;
        const { name } = links[file] as ChainLink;
        const image = mkdtempSync(join(state, 'image-'));
        const copy = join(makeRelayDirectory(image), 'store');
        cpSync(store, copy, { recursive: true });
        const path = join(copy, name);
        const bytes = readFileSync(path);
        bytes[at] = (bytes[at] as number) ^ (1 << random.below(8));
        writeFileSync(path, bytes);
        const what = `${name} byte ${at}`;
        const report = await checkStore(diskFiles(copy));
        // In the last group of the newest segment a bad record is what a crash leaves too.
        if (report.damage.length === 0 && report.tail === undefined) tally.wrong.push(`${what}: not found`);
        const { bodies, log } = await next.recover(image);
        if (!log.includes('STORE_CORRUPT') && !log.includes('"tail":{'))
          tally.wrong.push(`${what}: not said`);
        const gone = mayBeMissing(records[file] as Place[], at, file === links.length - 1);
        const judged = judge(bodies, stored);
        if (judged.lost > 0) hit++;
        tally.add(what, forgive(judged, gone));
        rmSync(image, { recursive: true });
        if (n % 200 === 199) say(`${n + 1} flips`);
      }
      await next.close();
      return {
        ...tally.figures,
        note: `${links.length} segments; ${hit} flips hit the record of a message, which was skipped and reported`,
      };
    }),
};

/** A record of a segment, and the message in it. */
interface Place {
  at: number;
  end: number;
  flags: number;
  message: number | undefined;
}

async function readPlaces({ file, header, end, size }: ChainLink): Promise<Place[]> {
  const places: Place[] = [];
  for await (const found of scanRecords(file, header.marker, SEGMENT_HEADER_BYTES, end ?? size)) {
    for (const one of found)
      if (one.kind === 'record') places.push({ ...one, message: numberIn(one.body.toString()) });
  }
  return places;
}

/**
 * The messages that the disk lost by a flip at that byte: that of the record that was hit. In the last group of
 * the newest segment, whose end nobody knows, a bad record ends the log.
 */
function mayBeMissing(places: readonly Place[], at: number, newest: boolean): number[] {
  const lastGroup = places.findLast(({ flags }) => flags & GROUP_START)?.at ?? 0;
  const ends = newest && at >= lastGroup;
  const hit = places.filter((place) => at < place.end && (ends || at >= place.at));
  return hit.flatMap(({ message }) => message ?? []);
}

/** What the disk lost was not lost by us: it was said. */
function forgive({ lost, wrong, ...judged }: Judged, gone: readonly number[]): Judged {
  const held = wrong.filter((line) => !gone.some((n) => line === `lost: ${n}`));
  return { ...judged, wrong: held, lost: lost - (wrong.length - held.length) };
}
