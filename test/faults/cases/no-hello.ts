/** Connections that say nothing, or begin and stop. docs/protocol.md §2 (P5). */
import { waitFor } from '../../helpers/wait-for.ts';
import { DaemonProcess, withState } from '../daemon-process.ts';
import type { Fault } from '../fault.ts';
import { helloFrame, RawPeer } from '../raw-peer.ts';
import { Talkers } from '../talkers.ts';

export const fault: Fault = {
  name: 'no-hello',
  criterion:
    'connections that never say HELLO, or half of it, are told HANDSHAKE_TIMEOUT and closed; agents talk on meanwhile',
  run: ({ amount }) =>
    withState(async (state) => {
      const count = amount('connections', { quick: 20, usual: 200, full: 500 });
      const daemon = await DaemonProcess.start(state);
      const talkers = await Talkers.join(state, 2);
      talkers.talk();
      const hello = helloFrame('nobody');
      const silent = Array.from({ length: count }, (_, n) => {
        const peer = new RawPeer(state);
        // The first says nothing at all, each other one byte more.
        if (n > 0) peer.socket.write(hello.subarray(0, 1 + (n % (hello.length - 1))));
        return peer;
      });
      await waitFor(() => silent.every(({ closed }) => closed), 'all to be closed', 60_000);
      await talkers.traffic();
      const { wrong, ...figures } = await talkers.judge();
      const untold = silent.filter((peer) => peer.types.join() !== 'ERROR HANDSHAKE_TIMEOUT');
      if (untold.length > 0) wrong.push(`${untold.length} were not told, such as: ${untold[0]?.types}`);
      if (!daemon.alive) wrong.push(`the daemon ended: ${daemon.said}`);
      await talkers.leave();
      return { ...figures, wrong, runs: count };
    }),
};
