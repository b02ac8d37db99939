/** The leader is stopped in mid-traffic (SIGSTOP, a laptop's lid, a debugger) and wakes much later. P20. */
import { waitFor } from '../../helpers/wait-for.ts';
import { Crew } from '../crew.ts';
import type { Fault } from '../fault.ts';
import { Tally } from '../sender.ts';
import { Witness } from '../witness.ts';

/** What the log of a leader says when it learns that another leads: at its next look, or at its next promise. */
const DEPOSED = /"event":"host\.deposed"|"event":"daemon\.failed".*"code":"DEPOSED"/;

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
    const tally = new Tally();
    // It stays with the stopped leader, and has sent to it: of that nothing may be called stored after its reign.
    const witness = await Witness.start(crew.state);
    try {
      for (let run = 0; run < runs; run++) {
        const leader = await crew.leads();
        await crew.traffic();
        await witness.talked();
        const pid = crew.pid(leader);
        const deposals = () => crew.log(leader).filter((line) => DEPOSED.test(line)).length;
        const before = deposals();
        const began = performance.now();
        process.kill(pid, 'SIGSTOP');
        await waitFor(
          async () => ![undefined, leader].includes(await crew.leader()),
          'another leader',
          120_000,
        );
        replaced.push(performance.now() - began);
        say(`replaced after ${Math.round(replaced.at(-1) as number)} ms`);
        await crew.traffic(leader);
        await waitFor(() => performance.now() - began > stopMs, 'the stop to be over', stopMs + 1_000);
        process.kill(pid, 'SIGCONT');
        await crew.traffic();
        await crew.ready();
        await witness.talked();
        const now = await crew.leads();
        if (now === leader) return { runs, wrong: ['the stopped leader leads again'] };
        if (deposals() === before) tally.wrong.push(`${leader} did not say that it was deposed`);
      }
      const seconds = replaced.map((ms) => (ms / 1_000).toFixed(1)).join(', ');
      tally.add('crew', await crew.judge());
      tally.add('witness', await witness.judge());
      return {
        ...tally.figures,
        runs,
        note: `stopped for ${stopMs / 1_000} s, replaced after ${seconds} s`,
      };
    } finally {
      await witness.close();
      await crew.close();
    }
  },
};
