/** `npm run sim -- [--seeds N] [--from S] [--mistake NAME] [--verbose]`: histories of the relay, seed by seed. */
import { parseArgs } from 'node:util';
import { MISTAKES, type Mistake } from './mistakes.ts';
import { simulate } from './sim-world.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    from: { type: 'string', default: '1' },
    mistake: { type: 'string' },
    verbose: { type: 'boolean', default: false },
  },
});
const from = Number(values.from);
const until = from + Number(values.seeds);
if (values.mistake !== undefined && !MISTAKES.includes(values.mistake as Mistake)) {
  console.error(`--mistake is one of ${MISTAKES.join(', ')}`);
  process.exit(2);
}

const began = performance.now();
let messages = 0;
let elapsed = 0;
let failed = 0;
for (let seed = from; seed < until; seed += 1) {
  const result = await simulate({
    seed,
    ...(values.mistake === undefined ? {} : { mistake: values.mistake as Mistake }),
    ...(values.verbose ? { tell: (line: string) => console.log(line) } : {}),
  });
  messages += result.messages;
  elapsed += result.elapsed;
  if (values.verbose) console.log(`seed ${seed}: ${result.hash}`);
  if (result.violations.length === 0) continue;
  failed += 1;
  console.log(`seed ${seed} (${result.hash}): ${result.violations.join('\n    ')}`);
  if (values.mistake !== undefined) break;
}
const seconds = (performance.now() - began) / 1000;
const count = until - from;
console.log(
  `${count} seeds from ${from}, ${failed} failed: ${messages} messages, ${(elapsed / 3_600_000).toFixed(1)} simulated hours ` +
    `in ${seconds.toFixed(1)} s, ${(count / seconds).toFixed(0)} seeds/s`,
);
process.exit(failed === 0 ? 0 : 1);
