/** `agent-wrap [options] <agent> [args…]`: runs an agent in a PTY. Options of ours come before it. */
import { Command } from 'commander';

export function command(): Command {
  return new Command('agent-wrap').argument('<agent>').argument('[args...]').passThroughOptions();
}
