/** `--record` and `--record-input` of the wrapper: opens the recording. Loads nothing without them. */
import { systemClock } from '../base/clock.ts';
import { RelayError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { TtySize } from '../terminal/tty.ts';
import type { Recorder } from '../wrap/recorder.ts';

export interface RecordOptions {
  record?: string;
  recordInput?: true;
}

/** Throws USAGE, and FILE_UNWRITABLE if the file is there or cannot be made. */
export async function openRecorder(
  { record, recordInput }: RecordOptions,
  command: readonly string[],
  { cols, rows }: TtySize,
  log: Log,
): Promise<Recorder | undefined> {
  if (record === undefined) {
    if (recordInput) throw new RelayError('USAGE', '--record-input goes with --record');
    return undefined;
  }
  const [{ CastFile }, { castEnv }, { lineMode }, { Recorder }] = await Promise.all([
    import('../terminal/cast-file.ts'),
    import('../terminal/cast.ts'),
    import('../terminal/line-mode.ts'),
    import('../wrap/recorder.ts'),
  ]);
  const header = { width: cols, height: rows, command: command.join(' '), env: castEnv(process.env) };
  const file = new CastFile({ path: record, header, clock: systemClock, log });
  return new Recorder(file, recordInput ? lineMode : undefined, systemClock, log);
}
