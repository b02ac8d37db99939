/** kill -9 in mid-traffic, again and again: of the leader, of any other, of the leader and its successor. P12, P20. */
import { Crew } from '../crew.ts';
import type { Fault } from '../fault.ts';

export const fault: Fault = {
  name: 'kill',
  criterion:
    'kill -9 of leader, sender or receiver, or of the new leader during its replay: all come back, nothing stored is lost, ' +
    'nothing comes twice in a session or out of order',
  async run({ amount, random, say }) {
    const loops = amount('loops', { quick: 3, usual: 30, full: 200 });
    const size = amount('agents', { quick: 5, usual: 20, full: 20 });
    const crew = await Crew.start(size, 40);
    const takeovers: number[] = [];
    try {
      for (let loop = 0; loop < loops; loop++) {
        const leader = await crew.leads();
        const others = crew.names.filter((name) => name !== leader);
        const other = others[random.below(others.length)] as string;
        const victims = loop % 3 === 1 ? [other] : [leader];
        for (const victim of victims) await crew.kill(victim);
        const began = performance.now();
        // A double fault: whoever follows is killed while it takes over.
        if (loop % 3 === 2) {
          const next = await crew.leads();
          await crew.kill(next);
          victims.push(next);
        }
        await crew.ready();
        if (loop % 3 === 0) takeovers.push(performance.now() - began);
        for (const victim of victims) crew.spawn(victim);
        await crew.ready();
        if (loop % 10 === 9) say(`${loop + 1} loops`);
      }
      const judgement = await crew.judge();
      takeovers.sort((a, b) => a - b);
      const p50 = Math.round(takeovers[takeovers.length >> 1] ?? 0);
      return {
        ...judgement,
        runs: loops,
        note: `${size} agents; all ready again after the leader was killed: p50 ${p50} ms`,
      };
    } finally {
      await crew.close();
    }
  },
};
