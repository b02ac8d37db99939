/** A daemon died while it wrote: its log ends at any byte of its last records. docs/store.md "Recovery". */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DaemonProcess, makeRelayDirectory, withState } from '../daemon-process.ts';
import type { Fault } from '../fault.ts';
import { Recoverer } from '../recoverer.ts';
import { judge, Sender, Tally } from '../sender.ts';
import { writtenBytes } from '../written-bytes.ts';

/** Messages whose records are cut at every byte. */
const LAST = 3;

export const fault: Fault = {
  name: 'torn-log',
  criterion:
    'the log is cut at every byte of its last records: a new daemon, and the one after it, has every message that was ' +
    'stored before that byte, and nothing that is half',
  run: ({ amount, say }) =>
    withState(async (state) => {
      const tally = new Tally();
      const daemon = await DaemonProcess.start(state);
      const sender = await Sender.join(state);
      await sender.sendAll(20);
      const segment = readdirSync(daemon.store).sort().at(-1) as string;
      const length = () => writtenBytes(join(daemon.store, segment));
      /** Where the log ended when each of the last messages had been stored. */
      const ends = new Map<number, number>();
      const from = length();
      for (let n = 0; n < LAST; n++) {
        await sender.sendAll(1, 40 + 50 * n);
        ends.set(sender.stored.at(-1) as number, length());
      }
      tally.stored = sender.stored.length;
      sender.close();
      await daemon.kill();
      const bytes = length() - from;
      const places = Math.min(
        bytes + 1,
        amount('places', { quick: 4, usual: 40, full: Number.POSITIVE_INFINITY }),
      );
      const next = new Recoverer(state);
      for (let n = 0; n < 2 * places; n++) {
        const at = from + Math.round(((n >> 1) * bytes) / Math.max(1, places - 1));
        const image = mkdtempSync(join(state, 'image-'));
        const store = join(makeRelayDirectory(image), 'store');
        cpSync(daemon.store, store, { recursive: true });
        const path = join(store, segment);
        // The zeros ahead of it may be there or not.
        if (n % 2 === 0) writeFileSync(path, readFileSync(path).fill(0, at));
        else truncateSync(path, at);
        const whole = sender.stored.filter((one) => (ends.get(one) ?? 0) <= at);
        tally.add(`cut at byte ${at}`, judge((await next.recover(image)).bodies, whole));
        // And the one after it: what a leader found has become part of its own log.
        const later = judge((await next.recover(image)).bodies, whole);
        tally.add(`cut at byte ${at}, its successor`, later);
        rmSync(image, { recursive: true });
        if (n % 500 === 499) say(`${n + 1} cuts`);
      }
      await next.close();
      return {
        ...tally.figures,
        runs: 2 * places,
        note: `at ${places} of the ${bytes + 1} places in the last ${LAST} records, with zeros behind and without`,
      };
    }),
};
