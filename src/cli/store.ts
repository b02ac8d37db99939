/** `agent-wrap store check`: verifies the store of a relay and says what it found. docs/store.md "Check". */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { RelayError } from '../base/errors.ts';
import { directoryEnvironment, relayDirectories } from '../base/paths.ts';
import { type CheckReport, checkStore } from '../daemon/store/check.ts';
import { diskFiles, type Files, STORE_DIRECTORY } from '../daemon/store/files.ts';
import { parseSegmentName } from '../daemon/store/segment.ts';
import { placeOf, placeOptions } from './place.ts';
import { throwUsage } from './usage.ts';

export function command(): Command {
  const check = throwUsage(new Command('check'))
    .description('verify every segment; changes nothing; exit 0: sound, 1: damaged')
    .argument('[dir]', 'the directory that holds the segments, if it is not the relay of --namespace')
    .option('--json', 'the whole report as JSON')
    .action(async (directory: string | undefined, options: { json?: true; namespace?: string }) => {
      const report = await checkStore(await openStore(directory ?? directoryOf(options)));
      process.stdout.write(options.json ? `${JSON.stringify(report, null, 2)}\n` : render(report));
      if (report.damage.length > 0) process.exitCode = 1;
    });
  const [namespace] = placeOptions();
  check.addOption(namespace);
  return throwUsage(new Command('store'))
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

/** The segments in a directory, or in the `store` of a relay's directory. Throws FILE_UNREADABLE. */
async function openStore(directory: string): Promise<Files> {
  for (const each of [directory, join(directory, STORE_DIRECTORY)]) {
    const files = openDirectory(each, directory);
    const names = await files.list().catch((cause: unknown) => {
      throw new RelayError('FILE_UNREADABLE', `cannot read ${each}: ${RelayError.from(cause).message}`, {
        cause,
      });
    });
    if (names.some((name) => parseSegmentName(name) !== undefined)) return files;
    if (!names.includes(STORE_DIRECTORY)) break;
  }
  throw new RelayError('FILE_UNREADABLE', `no segment of a store lies in ${directory}`, {
    suggestion: 'name the directory that holds them, or another --namespace',
  });
}

function openDirectory(directory: string, named: string): Files {
  try {
    return diskFiles(directory, { make: false });
  } catch (cause) {
    throw new RelayError('FILE_UNREADABLE', `no directory of segments: ${named}`, { cause });
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
  const found = report.damage.length;
  const verdict = found > 0 ? `${found} ${found === 1 ? 'finding' : 'findings'} of damage` : 'sound';
  lines.push(`format ${report.format}, ${report.records} records, ${report.bytes} bytes: ${verdict}`);
  return `${lines.join('\n')}\n`;
}
