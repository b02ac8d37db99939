/**
 * Agents that talk all at once; in each loop one of them is killed with -9 in mid-traffic, in turn the
 * leader, any other, and the leader with its successor; it comes back and all goes on. At the end nothing
 * stored may be lost, nothing have come twice in a session. `npm run test:faults [loops] [agents]`.
 */
import { fileURLToPath } from 'node:url';
import { Crew } from './crew.ts';

export async function killLoops(loops: number, size: number, say = (_line: string) => {}): Promise<string[]> {
  const crew = await Crew.start(size, 40);
  const takeovers: number[] = [];
  try {
    for (let loop = 0; loop < loops; loop++) {
      const leader = await crew.leads();
      const others = crew.names.filter((name) => name !== leader);
      const other = others[loop % others.length] as string;
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
    const { wrong, stored, delivered } = await crew.judge();
    takeovers.sort((a, b) => a - b);
    say(
      `${loops} loops, ${size} agents: ${stored} messages stored, ${delivered} delivered, ${wrong.length} wrong; ` +
        `all ready after kill -9 of the leader: p50 ${Math.round(takeovers[takeovers.length >> 1] ?? 0)} ms`,
    );
    return wrong;
  } finally {
    await crew.close();
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [loops = 200, size = 20] = process.argv.slice(2).map(Number);
  const wrong = await killLoops(loops, size, console.log);
  for (const line of wrong.slice(0, 50)) console.error(line);
  process.exitCode = wrong.length === 0 ? 0 : 1;
}
