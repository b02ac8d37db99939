/**
 * What a fault of the suite is: harm done to real processes, and the criterion it is judged by. Each lies in
 * a file of its own in `cases/`, exporting `fault`; run.ts finds it there.
 */
import type { Random } from '../helpers/sim-files.ts';

/** `quick` is part of `npm test`, `usual` what one runs by hand, `full` the proof that docs/faults.md records. */
export type Size = 'quick' | 'usual' | 'full';

export interface Fault {
  /** As its file is called. */
  name: string;
  /** What must hold, in one sentence a person understands. */
  criterion: string;
  run(trial: Trial): Promise<Partial<Figures>>;
}

/** How one fault is run. */
export interface Trial {
  size: Size;
  /** Everything random comes from here, so that the printed seed gives the same choices again. */
  random: Random;
  /** How many, how long: one for each size; `--<name> N` on the command line overrides it. */
  amount(name: string, amounts: Record<Size, number>): number;
  /** A line of the output: progress, or something to know about how it was done. */
  say(line: string): void;
}

export interface Figures {
  /** How often the fault was done. */
  runs: number;
  /** Messages whose sender was told `stored`. */
  stored: number;
  /** Of these, those that are neither delivered, waiting nor a dead letter. */
  lost: number;
  /** Given twice within a session. */
  twice: number;
  /** Given after a later one of their stream. */
  disordered: number;
  /** All that broke the criterion, one line each; empty is a pass. What was lost, twice or disordered is said here too. */
  wrong: string[];
  /** Something measured, or how it was done, for the table. */
  note: string;
  /** Why this machine cannot do it. */
  skipped: string;
}

export interface Result extends Figures {
  name: string;
  criterion: string;
  size: Size;
  seed: number;
  seconds: number;
}

/** Passed, failed or skipped, in a word. */
export function verdict({ wrong, lost, twice, disordered, skipped }: Figures): string {
  if (skipped !== '') return 'skipped';
  return wrong.length + lost + twice + disordered === 0 ? 'passed' : 'FAILED';
}
