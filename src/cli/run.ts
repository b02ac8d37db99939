/** `agent-wrap run <file>`: a pairing of agents for CI. Exit codes: docs/run.md. */
import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { chalkStderr } from 'chalk';
import { Command } from 'commander';
import { systemClock } from '../base/clock.ts';
import { RelayError } from '../base/errors.ts';
import { fileLog, type Log, silentLog } from '../base/log.ts';
import { checkAgents } from '../run/check-agents.ts';
import { LiveView } from '../run/live-view.ts';
import { parsePairing } from '../run/load-pairing.ts';
import { makeOutDirectory, writeRound, writeRounds } from '../run/out-directory.ts';
import { EXIT, renderOutcome } from '../run/outcome.ts';
import type { RoundReport } from '../run/report.ts';
import { oneLine } from '../run/report-line.ts';
import { Round } from '../run/round.ts';
import { type Pairing, pairingJsonSchema } from '../run/schema.ts';
import { processSignals } from '../wrap/signals.ts';
import { reportError } from './report.ts';
import { selfCommand } from './self.ts';
import { throwUsage } from './usage.ts';

const HELP = `
Exit codes: 0 all as expected · 1 an expectation failed · 2 a mistake in the file or the command line
            3 time-out · 4 an agent failed · 128+n ended by signal n

Examples:
  agent-wrap run docs/examples/two-scripts.yaml
  agent-wrap run --out results --repeat 20 --seed 7 --keep-going pairing.yaml
  agent-wrap run --schema > pairing.schema.json`;

interface RunOptions {
  out?: string;
  repeat: number;
  seed?: number;
  timeout?: number;
  keepGoing?: true;
  quiet?: true;
  plain?: true;
  schema?: true;
}

function wholeNumber(flag: string, least: number, most: number) {
  return (value: string): number => {
    const number = /^[0-9]{1,10}$/.test(value) ? Number(value) : Number.NaN;
    if (number >= least && number <= most) return number;
    throw new RelayError('USAGE', `${flag} takes a whole number from ${least} to ${most}, not '${value}'`);
  };
}

/** Seeds fit into what every language takes for an integer. */
const MAX_SEED = 2 ** 31 - 1;

export function command(): Command {
  return throwUsage(new Command('run'))
    .description(
      'runs a pairing of agents from a file: starts them, watches, judges, and leaves nothing behind',
    )
    .argument('[file]', 'the pairing, YAML or JSON (docs/run.md)')
    .option('--out <dir>', 'write messages, recordings, summary, JUnit and a diagram there')
    .option('--repeat <n>', 'run it so many times', wholeNumber('--repeat', 1, 10_000), 1)
    .option(
      '--seed <n>',
      'given to agents as AGENT_WRAP_SEED, plus one each round',
      wholeNumber('--seed', 0, MAX_SEED),
    )
    .option('--timeout <seconds>', 'instead of the timeout of the file', wholeNumber('--timeout', 1, 86_400))
    .option('--keep-going', 'do not end at the first agent, nor at the first round, that failed')
    .option('--quiet', 'no line per message')
    .option('--plain', 'only lines, also on a terminal, where the agents are shown below them')
    .option('--schema', 'print the JSON Schema of pairing files')
    .addHelpText('after', HELP)
    .action(async (file: string | undefined, options: RunOptions) => {
      process.exitCode = EXIT.unexpected; // If we should ever end without a verdict, CI must not take it for one.
      process.exitCode = await run(file, options);
    });
}

async function run(file: string | undefined, options: RunOptions): Promise<number> {
  if (options.schema) {
    process.stdout.write(`${JSON.stringify(pairingJsonSchema(), null, 2)}\n`);
    return EXIT.ok;
  }
  let pairing: Pairing;
  try {
    pairing = load(file);
    if (options.out !== undefined) makeOutDirectory(outOf(options, 1));
  } catch (error) {
    reportError(error);
    return EXIT.badFile;
  }
  const reports = await runRounds(pairing, file as string, options);
  const exitCode = reports.find((report) => report.exitCode !== EXIT.ok)?.exitCode ?? EXIT.ok;
  if (options.out !== undefined && options.repeat > 1) writeRounds(options.out, reports, exitCode);
  return exitCode;
}

async function runRounds(pairing: Pairing, file: string, options: RunOptions): Promise<RoundReport[]> {
  const firstSeed = options.seed ?? randomInt(MAX_SEED);
  const reports: RoundReport[] = [];
  for (let round = 1; round <= options.repeat; round++) {
    const seed = (firstSeed + round - 1) % (MAX_SEED + 1);
    const out = options.out === undefined ? undefined : resolve(outOf(options, round));
    if (out !== undefined) makeOutDirectory(out);
    if (options.repeat > 1) tell(`round ${round} of ${options.repeat}, seed ${seed}`);
    const view = liveView(options);
    const report = await Round.run({
      pairing,
      name: pairing.name ?? basename(file).replace(/\.[^.]+$/, ''),
      base: dirname(resolve(file)),
      self: selfCommand(),
      env: process.env,
      round,
      seed,
      timeoutSeconds: options.timeout ?? pairing.timeout,
      keepGoing: options.keepGoing === true,
      out,
      tell: options.quiet ? () => {} : (line) => (view === undefined ? tell(line) : view.line(line)),
      show: view && ((agents) => view.show(agents)),
      clock: systemClock,
      log: logOf(out),
      signals: processSignals,
    }).finally(() => view?.close());
    reports.push(report);
    if (out !== undefined) writeRound(out, report);
    tellResult(report);
    const { how } = report.outcome;
    if (how === 'interrupted' || (report.exitCode !== EXIT.ok && !options.keepGoing)) break;
  }
  return reports;
}

function load(file: string | undefined): Pairing {
  if (file === undefined) throw new RelayError('USAGE', 'run needs the file of a pairing');
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new RelayError('FILE_UNREADABLE', `cannot read ${file}: ${(cause as Error).message}`, { cause });
  }
  return parsePairing(text, file, (pairing) => checkAgents(pairing, dirname(resolve(file)), process.env));
}

/** One round has the folder for itself. */
const outOf = ({ out = '.', repeat }: RunOptions, round: number): string =>
  repeat === 1 ? out : join(out, `round-${round}`);

const logOf = (out: string | undefined): Log =>
  out === undefined ? silentLog : fileLog(join(out, 'logs', 'run.log'));

/** On a person's terminal; a CI's log has lines only, also where CI has a terminal made. */
function liveView({ quiet, plain }: RunOptions): LiveView | undefined {
  const { CI, TERM } = process.env;
  if (quiet || plain || !process.stderr.isTTY || TERM === 'dumb' || (CI ?? '') !== '') return undefined;
  return new LiveView(process.stderr, chalkStderr, processSignals);
}

const tell = (line: string): void => void process.stderr.write(`${line}\n`);

function tellResult({ outcome, verdicts, agents, messages, exitCode, seed, durationMs }: RoundReport): void {
  for (const { title, ok, detail } of verdicts) {
    tell(`${ok ? 'ok     ' : 'FAILED '} ${oneLine(title)}${ok ? '' : `: ${oneLine(detail)}`}`);
  }
  for (const { name } of agents.filter(({ failed }) => failed)) tell(`FAILED  agent ${name}`);
  const seconds = (durationMs / 1000).toFixed(1);
  const verdict = exitCode === EXIT.ok ? 'passed' : `failed (${exitCode})`;
  tell(
    oneLine(
      `${verdict} after ${seconds} s, ${messages.length} messages, seed ${seed}: ${renderOutcome(outcome)}`,
    ),
  );
}
