/** The leader is stopped in mid-traffic (SIGSTOP, a laptop's lid, a debugger) and wakes much later. P20. */
import { waitFor } from '../../helpers/wait-for.ts';
import { Crew } from '../crew.ts';
import type { Fault } from '../fault.ts';

export const fault: Fault = {
  name: 'stop',
  criterion:
    'the leader is stopped under traffic: it is replaced, finds itself deposed when it wakes and goes on as a client; ' +
    'nothing stored is lost, nothing comes twice in a session or out of order',
  async run({ size, amount, say }) {
    // A leader is replaced only after seconds of silence.
    if (size === 'quick') return { skipped: 'in the usual size only' };
    const runs = amount('runs', { quick: 0, usual: 1, full: 3 });
    const stopMs = amount('stop-s', { quick: 0, usual: 20, full: 30 }) * 1_000;
    const crew = await Crew.start(amount('agents', { quick: 0, usual: 8, full: 20 }), 40);
    const replaced: number[] = [];
    try {
      for (let run = 0; run < runs; run++) {
        const leader = await crew.leads();
        await crew.traffic();
        const pid = crew.pid(leader);
        const began = performance.now();
        process.kill(pid, 'SIGSTOP');
        await waitFor(
          async () => ![undefined, leader].includes(await crew.leader()),
          'another leader',
          120_000,
        );
        replaced.push(performance.now() - began);
        say(`replaced after ${Math.round(replaced.at(-1) as number)} ms`);
        await waitFor(() => performance.now() - began > stopMs, 'the stop to be over', stopMs + 1_000);
        process.kill(pid, 'SIGCONT');
        await crew.traffic();
        await crew.ready();
        const now = await crew.leads();
        if (now === leader) return { runs, wrong: ['the stopped leader leads again'] };
      }
      const seconds = replaced.map((ms) => (ms / 1_000).toFixed(1)).join(', ');
      return {
        ...(await crew.judge()),
        runs,
        note: `stopped for ${stopMs / 1_000} s, replaced after ${seconds} s`,
      };
    } finally {
      await crew.close();
    }
  },
};
