/** A power cut: of what the daemon has written, only what was synced is left. P12, architecture.md "store". */
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { DaemonProcess, makeRelayDirectory, withState } from '../daemon-process.ts';
import { FaultyDisk } from '../disk.ts';
import type { Fault } from '../fault.ts';
import { judge, Sender, Tally } from '../sender.ts';

export const fault: Fault = {
  name: 'power-cut',
  criterion:
    'of the store only what was synced is left, cut at the moment an ACK arrives: a new daemon has every message ' +
    'that was stored by then, whole and in order',
  run: ({ amount, say }) =>
    withState(async (state) => {
      const cuts = amount('cuts', { quick: 3, usual: 20, full: 200 });
      const disk = new FaultyDisk(state);
      const tally = new Tally();
      // A promise made before the sync ends would leave a moment in which the copy has less than was promised.
      disk.order({ slowMs: 5 });
      const images: { state: string; stored: number[] }[] = [];
      const daemon = await DaemonProcess.start(state, disk.env);
      const sender = await Sender.join(state);
      sender.onStored = () => {
        if (sender.stored.length % 7 !== 0 || images.length >= cuts) return;
        const image = mkdtempSync(join(state, 'image-'));
        disk.copySynced(daemon.store, join(makeRelayDirectory(image), 'store'));
        images.push({ state: image, stored: [...sender.stored] });
      };
      for (let n = 0; images.length < cuts; n++) await sender.sendAll(1 + (n % 9), (n * 37) % 900);
      tally.stored = sender.stored.length;
      sender.close();
      await daemon.kill();
      for (const [n, image] of images.entries()) {
        const next = await DaemonProcess.start(image.state);
        tally.add(`cut ${n}`, judge(await next.inbox(), image.stored));
        await next.kill();
        if (n % 50 === 49) say(`${n + 1} cuts`);
      }
      return tally.figures;
    }),
};
