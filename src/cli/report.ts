/** How an error is shown to a person: what happened, its code, and what to do. On stderr, always. */
import { RelayError } from '../base/errors.ts';
import { sanitize } from '../base/sanitize.ts';

/** Prints the error and returns the exit code: 127/126 as shells do, 2 for wrong usage or configuration, else 1. */
export function reportError(thrown: unknown): number {
  const error = RelayError.from(thrown);
  // A message may quote what somebody else has written.
  process.stderr.write(sanitize(`agent-wrap: ${error.message} [${error.code}]\n  ${error.suggestion}\n`));
  if (error.code === 'AGENT_NOT_FOUND') return 127;
  if (error.code === 'AGENT_NOT_EXECUTABLE') return 126;
  return error.code === 'USAGE' || error.code === 'CONFIG_INVALID' ? 2 : 1;
}
