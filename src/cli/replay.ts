/** `agent-wrap replay <file>`: plays a recording (asciicast v2) in this terminal. */
import { Command } from 'commander';
import { systemClock } from '../base/clock.ts';
import { RelayError, systemCode } from '../base/errors.ts';
import { readCast } from '../terminal/cast.ts';
import { Player } from '../terminal/player.ts';
import { PersonTty } from '../terminal/tty.ts';
import { throwUsage } from './usage.ts';

const EXAMPLES = `
Keys: space pauses and goes on, q or Ctrl-C ends.

Examples:
  agent-wrap replay session.cast
  agent-wrap replay --speed 4 --idle-limit 1 session.cast`;

interface ReplayOptions {
  speed: number;
  idleLimit?: number;
}

function positive(flag: string) {
  return (value: string): number => {
    const number = Number(value);
    if (value.trim() !== '' && Number.isFinite(number) && number > 0) return number;
    throw new RelayError('USAGE', `${flag} takes a number above 0, not '${value}'`);
  };
}

export function command(): Command {
  return throwUsage(new Command('replay'))
    .description('plays a recording made by --record, or by asciinema, in this terminal')
    .argument('<file>', 'the recording (asciicast v2)')
    .option('--speed <n>', 'so many times as fast', positive('--speed'), 1)
    .option(
      '--idle-limit <seconds>',
      'wait no longer than this between two outputs',
      positive('--idle-limit'),
    )
    .addHelpText('after', EXAMPLES)
    .action(async (file: string, options: ReplayOptions) => {
      process.exitCode = await replay(file, options);
    });
}

async function replay(file: string, { speed, idleLimit }: ReplayOptions): Promise<number> {
  try {
    const { header, events } = await readCast(file);
    const tty = new PersonTty(systemClock);
    const { cols, rows } = tty.size;
    if (cols > 0 && (cols < header.width || rows < header.height)) {
      process.stderr.write(
        `agent-wrap: it was recorded at ${header.width}×${header.height}, this terminal has ${cols}×${rows}\n`,
      );
    }
    const player = new Player({
      tty,
      speed,
      idleLimitMs: (idleLimit ?? Number.POSITIVE_INFINITY) * 1000,
      clock: systemClock,
    });
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => player.stop());
    return (await player.play(events)) === 'ended' ? 0 : 130;
  } catch (error) {
    if (systemCode(error) === undefined || error instanceof RelayError) throw error;
    throw new RelayError('FILE_UNREADABLE', `cannot read ${file}`, { cause: error });
  }
}
