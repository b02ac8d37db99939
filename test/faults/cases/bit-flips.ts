/** One bit of the store is not as it was written. docs/store.md "Recovery", "Check". */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ChainLink, closeAll, findChain } from '../../../src/daemon/store/chain.ts';
import { checkStore } from '../../../src/daemon/store/check.ts';
import { diskFiles } from '../../../src/daemon/store/files.ts';
import { DaemonProcess, makeRelayDirectory, withState } from '../daemon-process.ts';
import type { Fault } from '../fault.ts';
import { Recoverer } from '../recoverer.ts';
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
        const judged = judge(bodies, stored);
        if (judged.lost === 1) hit++;
        // The message that was hit is lost by the disk, not by us: it was said, and nothing else may be missing.
        const wrong = judged.wrong.filter((line) => judged.lost > 1 || !line.startsWith('lost'));
        tally.add(what, { ...judged, lost: judged.lost > 1 ? judged.lost : 0, wrong });
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
