/** kill -9 in mid-traffic, in turn of the leader, a sender, a receiver, the leader and its successor. P12, P20. */
import { Crew } from '../crew.ts';
import type { Fault } from '../fault.ts';

const KINDS = ['leader', 'sending', 'receiving', 'double'] as const;

/** Milliseconds after its election within which a new leader is killed: it recovers, says WELCOME, replays. */
const DOUBLE_MS = 60;

export const fault: Fault = {
  name: 'kill',
  criterion:
    'kill -9 of the leader, of a sender with a SEND just sent, of a receiver with a DELIVER in its hands, or of the ' +
    'leader and then of the next one during its replay: all come back, nothing stored is lost, nothing comes twice ' +
    'in a session or out of order',
  async run({ amount, random, say }) {
    const loops = amount('loops', { quick: 4, usual: 40, full: 200 });
    const size = amount('agents', { quick: 4, usual: 20, full: 20 });
    const crew = await Crew.start(size, amount('every-ms', { quick: 40, usual: 40, full: 100 }));
    const takeovers: number[] = [];
    try {
      for (let loop = 0; loop < loops; loop++) {
        const leader = await crew.leads();
        const others = crew.names.filter((name) => name !== leader);
        const other = others[random.below(others.length)] as string;
        const kind = KINDS[loop % KINDS.length] as (typeof KINDS)[number];
        let victims = [kind === 'leader' ? leader : other];
        if (kind === 'double') {
          victims = await crew.killTwice(leader, random.below(DOUBLE_MS));
        } else if (kind === 'leader') {
          await crew.kill(leader);
          const began = performance.now();
          await crew.ready();
          takeovers.push(performance.now() - began);
        } else {
          await crew.killWhile(other, kind);
        }
        await crew.ready();
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
