/** `agent-wrap store check`: verifies the store of a relay and says what it found. docs/store.md "Check". */
import { Command } from 'commander';
import { RelayError } from '../base/errors.ts';
import { type CheckReport, checkStore } from '../daemon/store/check.ts';
import { diskFiles } from '../daemon/store/files.ts';

export function command(): Command {
  const check = new Command('check')
    .description('verify every segment; changes nothing; exit 0: sound, 1: damaged')
    .argument('[dir]', 'the directory that holds the segments')
    .option('--json', 'the whole report as JSON')
    .action(async (directory: string | undefined, options: { json?: true }) => {
      if (directory === undefined) throw new RelayError('USAGE', 'which directory holds the segments?');
      const report = await checkStore(openDirectory(directory));
      process.stdout.write(options.json ? `${JSON.stringify(report, null, 2)}\n` : render(report));
      if (report.damage.length > 0) process.exitCode = 1;
    });
  return new Command('store').description('look after the store of the relay').addCommand(check);
}

function openDirectory(directory: string) {
  try {
    return diskFiles(directory, { make: false });
  } catch (cause) {
    throw new RelayError('FILE_UNREADABLE', `no directory of segments: ${directory}`, { cause });
  }
}

/** The report for a person, a line a finding. */
export function render(report: CheckReport): string {
  const lines = report.segments.map(({ name, records, bytes, counts }) => {
    return `${name}  ${records} records, ${bytes} bytes${counts ? '' : '  (does not count)'}`;
  });
  for (const { segment, offset, bytes, text } of report.damage) {
    lines.push(`DAMAGED  ${segment} at byte ${offset}${bytes > 0 ? `, ${bytes} bytes` : ''}: ${text}`);
  }
  if (report.tail) {
    const { segment, offset, bytes } = report.tail;
    lines.push(
      `torn tail  ${segment} at byte ${offset}, ${bytes} bytes: left by a crash, promised to nobody`,
    );
  }
  for (const name of report.setAside) lines.push(`set aside  ${name}: damaged, replaced by a snapshot since`);
  for (const name of report.unfinished) lines.push(`unfinished  ${name}`);
  for (const name of report.foreign) lines.push(`not ours  ${name}`);
  const verdict = report.damage.length > 0 ? `${report.damage.length} findings of damage` : 'sound';
  lines.push(`format ${report.format}, ${report.records} records, ${report.bytes} bytes: ${verdict}`);
  return `${lines.join('\n')}\n`;
}
