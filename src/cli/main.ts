/**
 * The entry of `agent-wrap`: finds the subcommand and loads only its file, because start-up time is
 * part of the person's terminal. Whatever is not a subcommand is an agent to wrap.
 */
import { systemCode } from '../base/errors.ts';
import { reportError } from './report.ts';
import { applyPlace } from './settings.ts';
import { pickSubcommand, renderSubcommands, SUBCOMMANDS } from './subcommands.ts';

export async function main(argv: readonly string[]): Promise<void> {
  const name = pickSubcommand(argv);
  const subcommand = name === undefined ? undefined : SUBCOMMANDS[name];
  if (subcommand !== undefined) {
    outputMayClose(subcommand.works === true ? () => {} : () => process.exit());
    const { command } = await subcommand.load();
    await command(SUBCOMMANDS)
      .name(`agent-wrap ${name}`)
      .hook('preAction', (_, action) => applyPlace(action, async () => (await import('./wrap.ts')).command()))
      .parseAsync(argv.slice(1), { from: 'user' });
    return;
  }
  const { command } = await import('./wrap.ts');
  await command()
    .addHelpText('after', renderSubcommands(SUBCOMMANDS))
    .parseAsync([...argv], { from: 'user' });
}

/** `log | head` is no error: what nobody reads any more need not be said. */
function outputMayClose(unread: () => void): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error) => {
      if (systemCode(error) !== 'EPIPE') throw error;
      unread();
    });
  }
}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.exitCode = reportError(error);
});
