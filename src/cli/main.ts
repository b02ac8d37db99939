/**
 * The entry of `agent-wrap`: finds the subcommand and loads only its file, because start-up time is
 * part of the person's terminal. Whatever is not a subcommand is an agent to wrap.
 */
import type { Command } from 'commander';
import { reportError } from './report.ts';

/** One file per subcommand, `src/cli/<name>.ts`, each with `command(): Command`. */
export interface Subcommand {
  summary: string;
  load: () => Promise<{ command: () => Command }>;
}

export const SUBCOMMANDS: Readonly<Record<string, Subcommand>> = {
  call: { summary: 'call a command of the relay', load: () => import('./call.ts') },
  daemon: { summary: 'host the relay without an agent', load: () => import('./daemon.ts') },
};

/** Which subcommand the arguments name; `undefined` means: wrap an agent (or general help). */
export function pickSubcommand(argv: readonly string[]): string | undefined {
  const first = argv[0];
  return first !== undefined && Object.hasOwn(SUBCOMMANDS, first) ? first : undefined;
}

export async function main(argv: readonly string[]): Promise<void> {
  const name = pickSubcommand(argv);
  if (name !== undefined) {
    const { command } = await (SUBCOMMANDS[name] as Subcommand).load();
    await command().name(`agent-wrap ${name}`).parseAsync(argv.slice(1), { from: 'user' });
    return;
  }
  const { command } = await import('./wrap.ts');
  await command().parseAsync([...argv], { from: 'user' });
}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.exitCode = reportError(error);
});
