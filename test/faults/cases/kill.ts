/** kill -9 in mid-traffic, in turn of the leader, a sender, a receiver, the leader and its successor. P12, P20. */
import { Crew } from '../crew.ts';
import type { Fault } from '../fault.ts';
import { Tally } from '../sender.ts';
import { Witness } from '../witness.ts';

const KINDS = ['leader', 'sending', 'receiving', 'double'] as const;

/** Milliseconds within which a new leader is killed, from its election or from its first WELCOME on. */
const DOUBLE_MS = 60;

export const fault: Fault = {
  name: 'kill',
  criterion:
    'kill -9 of the leader, of a sender with a SEND just sent, of a receiver with a DELIVER in its hands, or of the ' +
    'leader and then of the next one while it recovers the store or replays to all: all come back, nothing stored is ' +
    'lost, nothing comes twice in a session or out of order',
  async run({ amount, random, say }) {
    const loops = amount('loops', { quick: 4, usual: 40, full: 200 });
    const size = amount('agents', { quick: 4, usual: 20, full: 20 });
    const crew = await Crew.start(size, amount('every-ms', { quick: 40, usual: 40, full: 100 }));
    const takeovers: number[] = [];
    let [recovering, replaying] = [0, 0];
    const tally = new Tally();
    const witness = await Witness.start(crew.state);
    try {
      for (let loop = 0; loop < loops; loop++) {
        const leader = await crew.leads();
        await witness.talked();
        const others = crew.names.filter((name) => name !== leader);
        const other = others[random.below(others.length)] as string;
        const kind = KINDS[loop % KINDS.length] as (typeof KINDS)[number];
        let victims = [kind === 'leader' ? leader : other];
        if (kind === 'double') {
          const when = loop % (2 * KINDS.length) < KINDS.length ? 'recovering' : 'replaying';
          victims = await crew.killTwice(leader, when, random.below(DOUBLE_MS));
          const next = victims.filter((name) => name !== leader);
          const served = next.filter((name) => hasServed(crew.log(name))).length;
          replaying += served;
          recovering += next.length - served;
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
        await witness.read();
        if (loop % 10 === 9) say(`${loop + 1} loops`);
      }
      tally.add('crew', await crew.judge());
      tally.add('witness', await witness.judge());
      takeovers.sort((a, b) => a - b);
      const p50 = Math.round(takeovers[takeovers.length >> 1] ?? 0);
      return {
        ...tally.figures,
        runs: loops,
        note:
          `${size} agents; all ready again after the leader was killed: p50 ${p50} ms; ` +
          `next leaders killed while they recovered: ${recovering}, while they replayed: ${replaying}`,
      };
    } finally {
      await witness.close();
      await crew.close();
    }
  },
};

/** Whether a leader had welcomed anybody in its last reign. */
const hasServed = (log: readonly string[]): boolean =>
  log.findLastIndex((line) => line.includes('"event":"daemon.ready"')) >
  log.findLastIndex((line) => line.includes('"event":"host.leads"'));
