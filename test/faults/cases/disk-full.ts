/** The disk below the store is full. docs/store.md "What each fault leads to"; P12, P15. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { waitFor } from '../../helpers/wait-for.ts';
import { DaemonProcess, withState } from '../daemon-process.ts';
import { FaultyDisk } from '../disk.ts';
import type { Fault } from '../fault.ts';
import { judge, Sender, Tally } from '../sender.ts';
import { fill, mountSmall, unmount } from '../small-disk.ts';

const DISK_BYTES = 1024 * 1024;
/** What somebody else's file takes first. */
const FILLER_BYTES = 512 * 1024;

export const fault: Fault = {
  name: 'disk-full',
  criterion:
    'the disk is full: SENDs are refused with STORE_FULL and never delivered, a daemon that starts on it says so, both ' +
    'go on when there is room, and nothing stored is lost',
  run: ({ size, amount, say }) =>
    withState(async (scratch) => {
      const tally = new Tally();
      const rounds = amount('rounds', { quick: 1, usual: 3, full: 20 });
      const small = join(scratch, 'small');
      mkdirSync(small);
      const mounted = mountSmall(small);
      if (!mounted)
        say('mounting a tmpfs is refused here: the disk fills up through the file interface only');
      try {
        for (let round = 0; mounted && round < rounds; round++) {
          const state = join(small, `${round}`);
          mkdirSync(state);
          const set = (bytes: number) => fill(small, bytes);
          await fillsUp(
            `tmpfs, round ${round}`,
            state,
            {},
            { full: () => set(DISK_BYTES), some: () => set(FILLER_BYTES), none: () => set(0) },
            tally,
          );
          rmSync(state, { recursive: true });
        }
      } finally {
        unmount(small);
      }
      if (mounted && size === 'quick') return { ...tally.figures, note: 'on a tmpfs of 1 MB' };
      const disk = new FaultyDisk(scratch);
      const room = (bytes: number) => () => disk.order({ room: bytes });
      const levels = { full: room(0), some: room(DISK_BYTES - FILLER_BYTES), none: room(DISK_BYTES) };
      await fillsUp('file interface', join(scratch, 'state'), disk.env, levels, tally);
      return {
        ...tally.figures,
        note: mounted ? 'on a tmpfs of 1 MB, and through the file interface' : 'through the file interface',
      };
    }),
};

/** How much of the disk others take: all that is left, half, nothing. */
interface Levels {
  full: () => void;
  some: () => void;
  none: () => void;
}

async function fillsUp(
  what: string,
  state: string,
  env: Record<string, string>,
  levels: Levels,
  tally: Tally,
) {
  levels.some();
  const daemon = await DaemonProcess.start(state, env);
  const sender = await Sender.join(state);
  while (sender.refused.size === 0 && sender.next < 2_000) await sender.sendAll(10, 3_000);
  const codes = new Set(sender.refused.values());
  if ([...codes].join() !== 'STORE_FULL') tally.wrong.push(`${what}: refused with ${[...codes]}`);
  if (!daemon.alive) tally.wrong.push(`${what}: the daemon ended: ${daemon.said}`);

  levels.none();
  // What was refused holds its stream back until it comes again or 5 s pass (P15).
  const before = sender.stored.length;
  await waitFor(
    async () => {
      await sender.sendAll(1);
      return sender.stored.length > before + 5;
    },
    'messages to be stored again',
    60_000,
  );
  sender.close();
  await daemon.kill();

  levels.full();
  const starved = await DaemonProcess.start(state, env, '--log-file', '/dev/stderr');
  await waitFor(
    () => starved.said.includes('STORE_FULL'),
    'the daemon on a full disk to say so',
    30_000,
  ).catch(() =>
    tally.wrong.push(`${what}: a daemon that starts on a full disk does not say STORE_FULL: ${starved.said}`),
  );
  await starved.kill();

  levels.none();
  const next = await DaemonProcess.start(state, env);
  const { stored, refused } = sender;
  tally.add(what, { stored: stored.length, ...judge(await next.inbox(), stored, refused) });
  await next.kill();
}
