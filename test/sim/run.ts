/** `npm run sim -- [--seeds N] [--from S] [--jobs N] [--mistake NAME] [--verbose]`: histories of the relay, seed by seed. */
import { fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { MISTAKES, type Mistake } from './mistakes.ts';
import { simulate } from './sim-world.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    from: { type: 'string', default: '1' },
    /** Processes that share the seeds; one where a seed is looked at. */
    jobs: { type: 'string' },
    mistake: { type: 'string' },
    verbose: { type: 'boolean', default: false },
  },
});
const from = Number(values.from);
const count = Number(values.seeds);
const mistake = values.mistake as Mistake | undefined;
if (mistake !== undefined && !MISTAKES.includes(mistake)) {
  console.error(`--mistake is one of ${MISTAKES.join(', ')}`);
  process.exit(2);
}

interface Sums {
  failed: number;
  messages: number;
  /** Simulated milliseconds. */
  elapsed: number;
}

/** Every `stride`th seed from `first` on. */
async function runSome(first: number, stride: number): Promise<Sums> {
  const sums = { failed: 0, messages: 0, elapsed: 0 };
  for (let seed = first; seed < from + count; seed += stride) {
    const result = await simulate({
      seed,
      ...(mistake === undefined ? {} : { mistake }),
      ...(values.verbose ? { tell: (line: string) => console.log(line) } : {}),
    });
    sums.messages += result.messages;
    sums.elapsed += result.elapsed;
    if (values.verbose) console.log(`seed ${seed}: ${result.hash}`);
    if (result.violations.length === 0) continue;
    sums.failed += 1;
    console.log(`seed ${seed} (${result.hash}): ${result.violations.join('\n    ')}`);
    if (mistake !== undefined) break;
  }
  return sums;
}

/** The same, in a process of its own. */
function runBeside(first: number, stride: number): Promise<Sums> {
  return new Promise((resolve, reject) => {
    const child = fork(import.meta.filename, process.argv.slice(2), {
      env: { ...process.env, SIM_SHARE: `${first} ${stride}` },
    });
    child.once('message', (sums) => resolve(sums as Sums));
    child.once('exit', (code) => reject(new Error(`a job ended with ${code}`)));
  });
}

const share = process.env.SIM_SHARE?.split(' ').map(Number);
if (share !== undefined) {
  const [first = from, stride = 1] = share;
  process.send?.(await runSome(first, stride));
  process.disconnect();
} else {
  const began = performance.now();
  const looked = values.verbose || mistake !== undefined || count < 100;
  const jobs = Number(values.jobs ?? (looked ? 1 : availableParallelism()));
  const beside = Array.from({ length: jobs - 1 }, (_, n) => runBeside(from + n + 1, jobs));
  const all = await Promise.all([runSome(from, jobs), ...beside]);
  const sum = (what: keyof Sums) => all.reduce((total, sums) => total + sums[what], 0);
  const seconds = (performance.now() - began) / 1000;
  console.log(
    `${count} seeds from ${from}, ${sum('failed')} failed: ${sum('messages')} messages, ` +
      `${(sum('elapsed') / 3_600_000).toFixed(1)} simulated hours in ${seconds.toFixed(1)} s, ` +
      `${(count / seconds).toFixed(0)} seeds/s in ${jobs} process${jobs === 1 ? '' : 'es'}`,
  );
  process.exitCode = sum('failed') === 0 ? 0 : 1;
}
