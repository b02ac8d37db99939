/** `agent-wrap run-guard <dir>`: started by `agent-wrap run` to clean up behind it. Not for people. */
import { Command } from 'commander';
import { systemClock } from '../base/clock.ts';
import { guard } from '../run/guard.ts';

export function command(): Command {
  return new Command('run-guard').argument('<dir>').action(async (directory: string) => {
    // Whoever ends the run by a signal to all must not end what cleans up behind it.
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
    await guard(directory, process.stdin, systemClock);
  });
}
