/** Processes that start at one moment, each with a thousand messages to send at once. P20, P15. */
import { readdirSync } from 'node:fs';
import { listEpochs } from '../../../src/transport/relay-sockets.ts';
import { Crew } from '../crew.ts';
import type { Fault } from '../fault.ts';

export const fault: Fault = {
  name: 'cold-start',
  criterion:
    'processes that all start at once and send at once: exactly one of them leads, from the first election on, and each ' +
    'message arrives exactly once',
  async run({ amount }) {
    const size = amount('processes', { quick: 5, usual: 20, full: 20 });
    const each = amount('messages', { quick: 100, usual: 1_000, full: 1_000 });
    const runs = amount('starts', { quick: 1, usual: 1, full: 20 });
    const sum = { runs, stored: 0, lost: 0, twice: 0, disordered: 0, wrong: [] as string[] };
    for (let run = 1; run <= runs; run++) {
      const crew = await Crew.start(size, 0, { BURST: String(each) });
      try {
        const { stored, lost, twice, disordered, wrong } = await crew.judge();
        const epochs = listEpochs(crew.directory);
        if (epochs.join() !== '1') wrong.push(`elections: ${epochs}, in ${readdirSync(crew.directory)}`);
        if (stored !== size * each) wrong.push(`${stored} were stored of ${size * each}`);
        sum.stored += stored;
        sum.lost += lost;
        sum.twice += twice;
        sum.disordered += disordered;
        sum.wrong.push(...wrong.map((line) => `start ${run}: ${line}`));
      } finally {
        await crew.close();
      }
    }
    return { ...sum, note: `${size} processes × ${each} messages` };
  },
};
