/** The disk below the store gives EIO. An fsync that failed is never retried as if it had worked. docs/store.md. */
import { mkdirSync } from 'node:fs';
import { waitFor } from '../../helpers/wait-for.ts';
import { Crew } from '../crew.ts';
import { DaemonProcess, withState } from '../daemon-process.ts';
import { FaultyDisk } from '../disk.ts';
import type { Fault } from '../fault.ts';
import { judge, Sender, Tally } from '../sender.ts';
import { Witness } from '../witness.ts';

export const fault: Fault = {
  name: 'disk-errors',
  criterion:
    'EIO on write and on fsync: the daemon ends its service and says why, tells no sender `stored`, never tries a ' +
    'failed fsync again; another takes over where there is one, and nothing stored is lost',
  run: ({ size, amount }) =>
    withState(async (scratch) => {
      const tally = new Tally();
      const rounds = amount('rounds', { quick: 1, usual: 3, full: 20 });
      const agents = amount('agents', { quick: 3, usual: 8, full: 20 });
      for (const what of ['write', 'sync'] as const) {
        for (let round = 0; round < rounds; round++) await alone(what, `${scratch}/${what}-${round}`, tally);
        if (size !== 'quick' || what === 'sync') await inCompany(what, scratch, agents, rounds, tally);
      }
      return tally.figures;
    }),
};

/** A daemon with nobody to follow it: its sender is told, and its successor has what was stored. */
async function alone(what: 'write' | 'sync', state: string, tally: Tally): Promise<void> {
  mkdirSync(state);
  const disk = new FaultyDisk(state);
  const daemon = await DaemonProcess.start(state, disk.env);
  const sender = await Sender.join(state);
  await sender.sendAll(50);
  const before = sender.stored.length;
  disk.order({ [what]: 'EIO' });
  for (let n = 0; n < 5; n++) sender.send();
  await waitFor(() => sender.open === 0 || sender.closed, 'the sender to be told', 30_000);
  if (sender.stored.length > before) tally.wrong.push(`${what}: stored on a disk that fails`);
  await daemon.ended(30_000).catch(() => tally.wrong.push(`${what}: the daemon goes on`));
  if (!daemon.said.includes('STORE_FAILED'))
    tally.wrong.push(`${what}: the daemon says only: ${daemon.said}`);
  for (const ino of disk.syncsRetried()) tally.wrong.push(`${what}: a failed sync of ${ino} was tried again`);
  sender.close();
  disk.order({});
  const next = await DaemonProcess.start(state, disk.env);
  tally.stored += before;
  tally.add(`${what}, alone`, judge(await next.inbox(), sender.stored));
  await next.kill();
}

/** Wrappers that talk: the disk fails for the one that leads, another takes over. */
async function inCompany(
  what: 'write' | 'sync',
  scratch: string,
  size: number,
  rounds: number,
  tally: Tally,
): Promise<void> {
  const disk = new FaultyDisk(scratch);
  const crew = await Crew.start(size, 40, disk.env);
  const witness = await Witness.start(crew.state);
  try {
    for (let round = 0; round < rounds; round++) {
      const leader = await crew.leads();
      await witness.talked();
      const pid = crew.pid(leader);
      disk.order({ pid, [what]: 'EIO' });
      await waitFor(async () => ![undefined, leader].includes(await crew.leader()), 'another leader', 60_000);
      await crew.ready();
      await crew.traffic();
      await witness.read();
      if (!disk.ledger.some((line) => line.pid === pid && line.failed === what))
        tally.wrong.push(`${what}: ${leader} was replaced, and its disk had not failed`);
    }
    for (const ino of disk.syncsRetried())
      tally.wrong.push(`${what}: a failed sync of ${ino} was tried again`);
    disk.order({});
    tally.add(`${what}, in company`, await crew.judge());
    tally.add(`${what}, in company`, await witness.judge());
    tally.runs += rounds - 2;
  } finally {
    await witness.close();
    await crew.close();
  }
}
