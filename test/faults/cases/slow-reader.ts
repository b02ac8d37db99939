/** A recipient that reads a byte now and then, and one that reads nothing. docs/protocol.md §6, §7 (P13, P14). */
import { RELAY_MAX_BYTES, SENDER_SHARE } from '../../../src/protocol/limits.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { DaemonProcess, withState } from '../daemon-process.ts';
import type { Fault } from '../fault.ts';
import { helloFrame, RawPeer } from '../raw-peer.ts';
import { judge, Sender } from '../sender.ts';
import { Talker, Talkers } from '../talkers.ts';

/** Bytes of a message: so few of them fill what the kernel and the daemon keep for a socket. */
const FILLING = 4_000;
/** Bytes that a sender may have waiting (P14), less what else of a message counts. */
const SHARE = 0.9 * SENDER_SHARE * RELAY_MAX_BYTES;

export const fault: Fault = {
  name: 'slow-reader',
  criterion:
    'an agent that reads a byte a second, with thousands of messages for it: its sender and all others are served, ' +
    'what exceeds the sender’s share of the relay is refused with QUEUE_FULL, the daemon’s memory stays bounded, and all ' +
    'that was stored arrives once and in order when the agent comes back and reads, nothing that was refused',
  run: ({ amount }) =>
    withState(async (state) => {
      const count = amount('messages', { quick: 500, usual: 5_000, full: 20_000 });
      const daemon = await DaemonProcess.start(state);
      const talkers = await Talkers.join(state, 2);
      talkers.talk();
      const slow = new RawPeer(state);
      slow.socket.write(helloFrame('slow'));
      await waitFor(() => slow.got('WELCOME'), 'WELCOME');
      slow.socket.removeAllListeners('data');
      slow.socket.pause();
      const reading = setInterval(() => slow.socket.read(1), 1_000);
      const sender = await Sender.join(state, 1, 'slow');
      const before = daemon.rss;
      for (let sent = 0; sent < count; sent += 250) await sender.sendAll(250, FILLING);
      const grown = daemon.rss - before;
      await talkers.traffic();
      const { wrong, ...figures } = await talkers.judge();
      clearInterval(reading);
      slow.socket.destroy();
      const codes = [...new Set(sender.refused.values())].join();
      const full = sender.stored.length * FILLING > SHARE;
      if (codes !== '' && !(full && codes === 'QUEUE_FULL')) wrong.push(`refused: ${codes}`);
      sender.close();
      // What waits is kept in memory as it lies in the store, and as much again may be garbage.
      const allowed = 64e6 + 3 * count * FILLING;
      if (grown > allowed) wrong.push(`the daemon grew by ${Math.round(grown / 1e6)} MB`);
      const back = new Talker(state, 'slow');
      await waitFor(() => back.got.length >= sender.stored.length, 'all of it', 60_000).catch(() => {});
      const late = judge(
        back.got.map(({ body }) => body),
        sender.stored,
        sender.refused,
      );
      await back.client.close();
      await talkers.leave();
      return {
        runs: 1,
        stored: figures.stored + sender.stored.length,
        lost: figures.lost + late.lost,
        twice: figures.twice + late.twice,
        disordered: figures.disordered + late.disordered,
        wrong: [...wrong, ...late.wrong],
        note: `${count} messages of ${FILLING} bytes, ${sender.refused.size} of them beyond the share; the daemon grew by ${Math.round(grown / 1e6)} MB`,
      };
    }),
};
