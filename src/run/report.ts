/** What is known of a round when it is over: the input of every report. */
import type { RunMessage } from './conversation.ts';
import type { AgentEnd, Verdict } from './expectations.ts';
import type { Outcome } from './outcome.ts';

export interface AgentReport {
  name: string;
  command: readonly string[];
  /** How often it was started. */
  starts: number;
  end: AgentEnd;
  /** It ended by itself with an exit code that nobody expected. */
  failed: boolean;
}

export interface RoundReport {
  pairing: string;
  /** From 1. */
  round: number;
  seed: number;
  /** Wall clock, ms. */
  startedAt: number;
  durationMs: number;
  outcome: Outcome;
  exitCode: number;
  agents: readonly AgentReport[];
  messages: readonly RunMessage[];
  verdicts: readonly Verdict[];
}
