/** Somebody removes or moves the relay's directory, or a part of it, under a living leader. P19, P20. */
import { lstatSync, realpathSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { waitFor } from '../../helpers/wait-for.ts';
import { Crew } from '../crew.ts';
import { DaemonProcess, removed, withState } from '../daemon-process.ts';
import type { Fault } from '../fault.ts';
import { judge, Sender } from '../sender.ts';

export const fault: Fault = {
  name: 'directory-gone',
  criterion:
    'the relay directory, its store or its socket is deleted or moved away under a living leader: it steps down, an ' +
    '`agent-wrap daemon` says why and hosts it anew, all meet again, and what their outboxes hold arrives, once in a ' +
    'session and in order',
  async run({ amount }) {
    const rounds = amount('rounds', { quick: 1, usual: 2, full: 10 });
    const crew = await Crew.start(amount('agents', { quick: 3, usual: 8, full: 20 }), 40);
    const store = join(crew.directory, 'store');
    const socket = () => join(crew.directory, 'relay.sock');
    let gone = 0;
    // The leader writes there while we remove it, as it would under a person's `rm -r`.
    const remove = (path: string) => waitFor(() => removed(path), `${path} to be removed`);
    const harms: (() => unknown)[] = [
      () => remove(crew.directory),
      () => renameSync(crew.directory, `${crew.directory}.gone-${gone}`),
      () => remove(store),
      () => renameSync(store, `${store}.gone-${gone}`),
      () => rmSync(realpathSync(socket())),
    ];
    try {
      for (let round = 0; round < rounds; round++) {
        for (const harm of harms) {
          gone++;
          await crew.leads();
          await crew.traffic();
          const before = place(socket());
          await harm();
          await waitFor(() => ![undefined, before].includes(place(socket())), 'another socket', 60_000);
          await crew.ready();
          await crew.traffic();
        }
      }
      const { wrong, ...judgement } = await crew.judge();
      return { ...judgement, runs: gone + 1, wrong: [...wrong, ...(await alone())] };
    } finally {
      await crew.close();
    }
  },
};

/** Tells one leader's socket from the next; undefined while there is none. */
function place(link: string): string | undefined {
  try {
    const path = realpathSync(link);
    return `${path} ${lstatSync(path).ino} ${lstatSync(path).ctimeMs}`;
  } catch {
    return undefined;
  }
}

/** A daemon that nobody follows. */
const alone = (): Promise<string[]> =>
  withState(async (state) => {
    const daemon = await DaemonProcess.start(state);
    await waitFor(() => removed(daemon.directory), 'the directory to be removed');
    await waitFor(() => daemon.said.split('listening on').length === 3, 'it to host the relay anew', 30_000);
    const sender = await Sender.join(state);
    await sender.sendAll(5);
    sender.close();
    const { wrong } = judge(await daemon.inbox(), sender.stored);
    // In the middle of its removal the directory is there still, and only what lay in it is gone.
    const why = /deposed: .*(directory|socket)/.test(daemon.said);
    return why ? wrong : [...wrong, `it says only: ${daemon.said}`];
  });
