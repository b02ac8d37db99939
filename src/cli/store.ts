/** `agent-wrap store check`: verifies the store of a relay and says what it found. docs/store.md "Check". */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { RelayError } from '../base/errors.ts';
import { directoryEnvironment, relayDirectories } from '../base/paths.ts';
import { type CheckReport, checkStore } from '../daemon/store/check.ts';
import { diskFiles, STORE_DIRECTORY } from '../daemon/store/files.ts';
import { placeOf, placeOptions } from './place.ts';

export function command(): Command {
  const check = new Command('check')
    .description('verify every segment; changes nothing; exit 0: sound, 1: damaged')
    .argument('[dir]', 'the directory that holds the segments, if it is not the relay of --namespace')
    .option('--json', 'the whole report as JSON')
    .action(async (directory: string | undefined, options: { json?: true; namespace?: string }) => {
      const report = await checkStore(openDirectory(directory ?? directoryOf(options)));
      process.stdout.write(options.json ? `${JSON.stringify(report, null, 2)}\n` : render(report));
      if (report.damage.length > 0) process.exitCode = 1;
    });
  const [namespace] = placeOptions();
  check.addOption(namespace);
  return new Command('store')
    .description('look after the store of the relay')
    .addHelpText('after', '\nExamples:\n  agent-wrap store check\n  agent-wrap store check --json')
    .addCommand(check);
}

/** The first directory of P19 that holds segments. Throws FILE_UNREADABLE. */
function directoryOf(options: { namespace?: string }): string {
  const { namespace } = placeOf(options, process.env);
  const places = relayDirectories(namespace, directoryEnvironment(process.env));
  const found = places.map(({ path }) => join(path, STORE_DIRECTORY)).find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new RelayError('FILE_UNREADABLE', `relay '${namespace}' has no store here`, {
    suggestion: 'name the directory, or another --namespace',
  });
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
