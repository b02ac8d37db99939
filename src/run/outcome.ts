/** How a round ended, and the exit code that says so. docs/run.md "Exit codes". */
import type { Verdict } from './expectations.ts';

export type Outcome =
  /** A condition of `until` held. */
  | { how: 'met'; condition: string }
  /** Every agent ended and no condition held: none can any more. */
  | { how: 'unmet' }
  | { how: 'timed-out'; seconds: number }
  | { how: 'agent-failed'; agent: string; code: number }
  | { how: 'interrupted'; signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP' }
  /** The run itself could not go on: a pattern took too long, the relay was lost. */
  | { how: 'broken'; message: string };

export const EXIT = { ok: 0, unexpected: 1, badFile: 2, timedOut: 3, agentFailed: 4 } as const;

/** The numbers of the signals that end a run, as a shell reports them. */
const SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;

/**
 * A time-out or a failed agent explains a failed expectation, so it is what the code says.
 * @param failed whether an agent failed, also one that did not end the round (--keep-going).
 */
export function exitCodeOf(outcome: Outcome, verdicts: readonly Verdict[], failed: boolean): number {
  switch (outcome.how) {
    case 'interrupted':
      return 128 + SIGNALS[outcome.signal];
    case 'timed-out':
      return EXIT.timedOut;
    case 'agent-failed':
      return EXIT.agentFailed;
    case 'broken':
      return EXIT.unexpected;
    case 'unmet':
      return failed ? EXIT.agentFailed : EXIT.unexpected;
    case 'met':
      if (failed) return EXIT.agentFailed;
      return verdicts.every(({ ok }) => ok) ? EXIT.ok : EXIT.unexpected;
  }
}

export function renderOutcome(outcome: Outcome): string {
  switch (outcome.how) {
    case 'met':
      return outcome.condition;
    case 'unmet':
      return 'every agent ended before any condition of `until` held';
    case 'timed-out':
      return `timed out after ${outcome.seconds} s`;
    case 'agent-failed':
      return `${outcome.agent} failed with exit code ${outcome.code}`;
    case 'interrupted':
      return `interrupted by ${outcome.signal}`;
    case 'broken':
      return outcome.message;
  }
}
