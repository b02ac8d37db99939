/** A hundred clients lose their connection at one moment, again and again. docs/protocol.md §8, P21. */
import { DaemonProcess, withState } from '../daemon-process.ts';
import type { Fault } from '../fault.ts';
import { Talkers } from '../talkers.ts';

export const fault: Fault = {
  name: 'reconnect-storm',
  criterion:
    'all clients lose their connections at once, and the daemon itself now and then: all are back, the leader is the ' +
    'same as long as it lives, nothing stored is lost, nothing comes twice in a session or out of order',
  run: ({ amount, random, say }) =>
    withState(async (state) => {
      const count = amount('clients', { quick: 10, usual: 100, full: 100 });
      const storms = amount('storms', { quick: 3, usual: 10, full: 30 });
      let daemon = await DaemonProcess.start(state);
      const talkers = await Talkers.join(state, count);
      const wrong: string[] = [];
      const times: number[] = [];
      talkers.talk(Math.max(20, count));
      for (let storm = 1; storm <= storms; storm++) {
        await talkers.traffic(1);
        const began = performance.now();
        if (storm % 3 === 0) {
          await daemon.kill();
          await talkers.lost();
          daemon = await DaemonProcess.start(state);
        } else {
          for (const talker of talkers.all) if (random.below(10) < 9) talker.cut();
        }
        await talkers.ready();
        times.push(performance.now() - began);
        if (!daemon.alive) wrong.push(`storm ${storm}: the daemon ended: ${daemon.said}`);
        if (storm % 10 === 0) say(`${storm} storms`);
      }
      const judged = await talkers.judge();
      await talkers.leave();
      times.sort((a, b) => a - b);
      const longest = Math.round(times.at(-1) ?? 0);
      return {
        ...judged,
        wrong: [...wrong, ...judged.wrong],
        runs: storms,
        note: `${count} clients; all back after ${Math.round(times[times.length >> 1] ?? 0)} ms (p50), ${longest} ms at most`,
      };
    }),
};
