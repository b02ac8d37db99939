/**
 * `npm run test:faults [-- names…] [--quick | --full] [--seed N] [--record] [--<amount> N …]`: does real
 * processes harm, fault by fault (cases/), and says of each what must hold and whether it did. `--full` is
 * the proof, hours of it on a small machine; `--record` writes its rows into docs/faults.md. Exits 1 when
 * one failed. FAULTS_KEEP=DIRECTORY keeps what a crew left that did not come back.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Random } from '../helpers/sim-files.ts';
import { type Fault, type Result, type Size, type Trial, verdict } from './fault.ts';
import { recordResults, renderTable } from './table.ts';

const CASES = new URL('cases/', import.meta.url);
const PAGE = fileURLToPath(new URL('../../docs/faults.md', import.meta.url));

export interface Plan {
  /** Of the faults, all when empty. */
  names: readonly string[];
  size: Size;
  seed: number;
  /** Given on the command line, over those of the size. */
  amounts: Readonly<Record<string, number>>;
  say: (line: string) => void;
}

/** Every fault of `cases/`, by name. */
export async function loadFaults(): Promise<Map<string, Fault>> {
  const faults = new Map<string, Fault>();
  for (const file of readdirSync(CASES).sort()) {
    const { fault } = (await import(new URL(file, CASES).href)) as { fault: Fault };
    faults.set(fault.name, fault);
  }
  return faults;
}

/** Runs the faults of a plan one after the other. Throws on a name that none has. */
export async function runFaults({ names, ...plan }: Plan): Promise<Result[]> {
  const faults = await loadFaults();
  const results: Result[] = [];
  for (const name of names.length > 0 ? names : faults.keys()) {
    const fault = faults.get(name);
    if (fault === undefined) throw new Error(`no fault ${name}; there are ${[...faults.keys()].join(', ')}`);
    plan.say(`${name} (seed ${plan.seed}): ${fault.criterion}`);
    const result = await runFault(fault, plan);
    for (const line of result.wrong.slice(0, 50)) plan.say(`  WRONG ${line}`);
    plan.say(`  ${verdict(result)} ${result.skipped || result.note}`.trimEnd());
    results.push(result);
  }
  return results;
}

async function runFault(fault: Fault, { size, seed, amounts, say }: Omit<Plan, 'names'>): Promise<Result> {
  const trial: Trial = {
    size,
    random: new Random(seed),
    amount: (name, each) => amounts[name] ?? each[size],
    say: (line) => say(`  ${line}`),
  };
  const began = performance.now();
  const figures = await fault.run(trial).catch((error: unknown) => ({
    wrong: [error instanceof Error ? (error.stack ?? error.message) : String(error)],
  }));
  return {
    ...{ runs: 0, stored: 0, lost: 0, twice: 0, disordered: 0, wrong: [], note: '', skipped: '' },
    ...figures,
    ...{ name: fault.name, criterion: fault.criterion, size, seed },
    seconds: (performance.now() - began) / 1_000,
  };
}

/** The command line; numbers of any other option are amounts. */
export function parsePlan(args: string[]): Plan & { record: boolean } {
  const { tokens } = parseArgs({ args, strict: false, tokens: true, allowPositionals: true });
  const names: string[] = [];
  const amounts: Record<string, number> = {};
  const flags = new Set<string>();
  let option: string | undefined;
  for (const token of tokens) {
    if (token.kind === 'option') {
      option = token.value === undefined ? token.name : undefined;
      if (token.value === undefined) flags.add(token.name);
      else amounts[token.name] = Number(token.value);
    } else if (token.kind === 'positional') {
      if (option !== undefined && Number.isFinite(Number(token.value))) amounts[option] = Number(token.value);
      else names.push(token.value);
      option = undefined;
    }
  }
  const size = flags.has('quick') ? 'quick' : flags.has('full') ? 'full' : 'usual';
  const seed = amounts.seed ?? Math.floor(Math.random() * 2 ** 31);
  return { names, size, seed, amounts, record: flags.has('record'), say: (line) => console.log(line) };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { record, ...plan } = parsePlan(process.argv.slice(2));
  const results = await runFaults(plan);
  console.log(`\n${renderTable(results)}`);
  if (record) writeFileSync(PAGE, recordResults(results, readFileSync(PAGE, 'utf8')));
  const failed = results.filter((one) => verdict(one) === 'FAILED');
  if (failed.length > 0) {
    const again = failed.map(({ name }) => name).join(' ');
    console.error(`failed: ${again}; again with: npm run test:faults -- ${again} --seed ${plan.seed}`);
  }
  process.exitCode = failed.length === 0 ? 0 : 1;
}
