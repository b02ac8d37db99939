/** A power cut: of what the daemon has written, only what was synced is left. P12, architecture.md "store". */
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { waitFor } from '../../helpers/wait-for.ts';
import { DaemonProcess, makeRelayDirectory, withState } from '../daemon-process.ts';
import { FaultyDisk } from '../disk.ts';
import type { Fault } from '../fault.ts';
import { judge, Sender, Tally } from '../sender.ts';

/** Milliseconds by which each sync is told later than it was done. */
const SLOW_MS = 5;

/** Messages on their way at once. */
const IN_FLIGHT = 8;

export const fault: Fault = {
  name: 'power-cut',
  criterion:
    'when an ACK arrives, or soon after, the power is cut, and of the store only what was synced is left, or torn bits of the ' +
    'rest too: a new daemon has every message that was stored by then, whole and in order, and nothing that is half',
  run: ({ amount, random, say }) =>
    withState(async (state) => {
      const cuts = amount('cuts', { quick: 3, usual: 20, full: 200 });
      const disk = new FaultyDisk(state);
      const tally = new Tally();
      // A promise made before the sync ends would leave a moment in which the copy has less than was promised.
      disk.order({ slowMs: SLOW_MS });
      // Pages that were not synced reach the disk or not, and the last of them in part.
      let tails = 0;
      const lost = (tail: Buffer) => {
        if (tail.length > 0) tails++;
        return Buffer.alloc(0);
      };
      const torn = (tail: Buffer) => {
        if (tail.length > 0) tails++;
        const kept = Buffer.from(tail.subarray(0, random.below(tail.length + 1)));
        return kept.fill(0, random.below(kept.length + 1), random.below(kept.length + 1));
      };
      const images: { state: string; stored: number[] }[] = [];
      const daemon = await DaemonProcess.start(state, disk.env);
      const sender = await Sender.join(state);
      const cut = () => {
        const image = mkdtempSync(join(state, 'image-'));
        const store = join(makeRelayDirectory(image), 'store');
        disk.copySynced(daemon.store, store, images.length % 2 === 0 ? lost : torn);
        images.push({ state: image, stored: [...sender.stored] });
      };
      sender.onStored = () => {
        sender.send(random.below(900));
        if (sender.stored.length % 7 !== 0 || images.length >= cuts) return;
        // At that very moment, or while the next group is written and not synced yet.
        if (images.length % 4 < 2) cut();
        else setTimeout(cut, random.below(SLOW_MS + 1));
      };
      for (let n = 0; n < IN_FLIGHT; n++) sender.send();
      await waitFor(() => images.length >= cuts || sender.closed, 'enough cuts', 600_000);
      tally.stored = sender.stored.length;
      sender.close();
      await daemon.kill();
      for (const [n, image] of images.entries()) {
        const next = await DaemonProcess.start(image.state);
        tally.add(`cut ${n}`, judge(await next.inbox(), image.stored));
        await next.kill();
        if (n % 50 === 49) say(`${n + 1} cuts`);
      }
      return { ...tally.figures, note: `${tails} of them with bytes that were not synced` };
    }),
};
