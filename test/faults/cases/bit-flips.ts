/** One bit of the store is not as it was written. docs/store.md "Recovery", "Check". */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ChainLink, closeAll, findChain } from '../../../src/daemon/store/chain.ts';
import { checkStore } from '../../../src/daemon/store/check.ts';
import { diskFiles } from '../../../src/daemon/store/files.ts';
import { DaemonProcess, makeRelayDirectory, withState } from '../daemon-process.ts';
import type { Fault } from '../fault.ts';
import { judge, Sender, Tally } from '../sender.ts';
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
      await closeAll([...links, ...strays]);
      // What lies behind the end that a successor names does not count, and is nobody's damage.
      const ends = links.map(
        ({ end, name, size }) => end ?? Math.min(size, writtenBytes(join(store, name)) + SPARE),
      );
      const total = ends.reduce((sum, end) => sum + end, 0);
      tally.stored = stored.length;
      let skipped = 0;
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
        const log = join(image, 'log');
        const daemon = await DaemonProcess.start(image, {}, '--log-file', log);
        const inbox = await daemon.inbox();
        const told = readFileSync(log, 'utf8');
        if (!told.includes('STORE_CORRUPT') && !told.includes('"tail":{'))
          tally.wrong.push(`${what}: not said`);
        const judged = judge(inbox, stored);
        skipped += judged.lost;
        if (judged.lost > 1) tally.add(what, judged);
        else
          tally.add(what, {
            ...judged,
            lost: 0,
            wrong: judged.wrong.filter((line) => !line.startsWith('lost')),
          });
        await daemon.kill();
        rmSync(image, { recursive: true });
        if (n % 200 === 199) say(`${n + 1} flips`);
      }
      return {
        ...tally.figures,
        note: `${links.length} segments; ${skipped} flips hit the record of a message, which was skipped and reported`,
      };
    }),
};
