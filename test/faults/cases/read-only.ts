/** The state directory cannot be written any more: its file system is mounted read-only, or its mode changed. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { FILE, LEADING } from '../../helpers/outer-terminal.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { Crew } from '../crew.ts';
import { DaemonProcess, relayDirectory, withState } from '../daemon-process.ts';
import { FaultyDisk } from '../disk.ts';
import type { Fault } from '../fault.ts';
import { judge, Sender, Tally } from '../sender.ts';
import { mountSmall, remount, unmount } from '../small-disk.ts';
import { Witness } from '../witness.ts';

export const fault: Fault = {
  name: 'read-only',
  criterion:
    'the state directory is read-only: a living leader ends its service and says why, a new one and `doctor` say ' +
    'what to do, all come back once it can be written, and nothing stored is lost',
  run: ({ amount, say }) =>
    withState(async (scratch) => {
      const tally = new Tally();
      const note = await atTheStart(scratch, tally, say);
      await underADaemon(join(scratch, 'daemon'), tally);
      await underTheLeader(scratch, amount('agents', { quick: 3, usual: 8, full: 20 }), tally);
      return { ...tally.figures, note };
    }),
};

/** A daemon is killed, the directory is made read-only, the next daemon starts. */
async function atTheStart(scratch: string, tally: Tally, say: (line: string) => void): Promise<string> {
  const state = join(scratch, 'mounted');
  mkdirSync(state);
  const mounted = mountSmall(state);
  // To root every directory is writable.
  if (!mounted && process.getuid?.() === 0) {
    say('mounting is refused here, and we are root: a read-only start cannot be tried');
    return 'not at the start: mounting is refused here';
  }
  const forbid = () => (mounted ? remount(state, 'ro') : chmodSync(relayDirectory(state), 0o500));
  const allow = () => (mounted ? remount(state, 'rw') : chmodSync(relayDirectory(state), 0o700));
  try {
    const daemon = await DaemonProcess.start(state);
    const sender = await Sender.join(state);
    await sender.sendAll(20);
    sender.close();
    await daemon.kill();
    forbid();
    const refused = await DaemonProcess.start(state);
    if (refused.alive || !refused.said.includes('FILE_UNWRITABLE') || !refused.said.includes('writable')) {
      tally.wrong.push(`a daemon that starts says: ${refused.said}`);
    }
    const env = { PATH: '/usr/bin:/bin', HOME: state, XDG_STATE_HOME: state };
    const doctor = spawnSync(FILE, [...LEADING, 'doctor'], { env, encoding: 'utf8' });
    if (!/PROBLEM {2}directory/.test(doctor.stdout)) tally.wrong.push(`doctor says: ${doctor.stdout}`);
    allow();
    const next = await DaemonProcess.start(state);
    tally.stored += sender.stored.length;
    tally.add('at the start', judge(await next.inbox(), sender.stored));
    await next.kill();
  } finally {
    unmount(state);
  }
  return mounted ? 'a tmpfs mounted read-only' : 'a directory of mode 0500';
}

/** The store of a living daemon gives EROFS: a mount that turns read-only does, for files that are open already. */
async function underADaemon(state: string, tally: Tally): Promise<void> {
  mkdirSync(state);
  const disk = new FaultyDisk(state);
  const daemon = await DaemonProcess.start(state, disk.env);
  const sender = await Sender.join(state);
  await sender.sendAll(20);
  disk.order({ write: 'EROFS' });
  sender.send();
  await daemon.ended().catch(() => tally.wrong.push('a daemon goes on that can write nothing'));
  if (!daemon.said.includes('EROFS'))
    tally.wrong.push(`a daemon that can write nothing says: ${daemon.said}`);
  sender.close();
  disk.order({});
  const next = await DaemonProcess.start(state, disk.env);
  tally.add('under a daemon', { stored: sender.stored.length, ...judge(await next.inbox(), sender.stored) });
  await next.kill();
}

/** For everybody at once the store gives EROFS; then it can be written again. */
async function underTheLeader(scratch: string, size: number, tally: Tally): Promise<void> {
  const disk = new FaultyDisk(scratch);
  const crew = await Crew.start(size, 40, disk.env);
  const witness = await Witness.start(crew.state);
  try {
    await crew.traffic();
    disk.order({ write: 'EROFS' });
    const pids = () => new Set(disk.ledger.filter(({ failed }) => failed === 'write').map(({ pid }) => pid));
    await waitFor(() => pids().size > 1, 'another to try its luck', 60_000);
    disk.order({});
    await crew.ready();
    await crew.traffic();
    tally.add('under the leader', await crew.judge());
    tally.add('under the leader', await witness.judge());
  } finally {
    await witness.close();
    await crew.close();
  }
}
