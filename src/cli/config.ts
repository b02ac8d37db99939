/** `agent-wrap config`: each setting, its value, and where that comes from. docs/configuration.md. */
import { join } from 'node:path';
import { Command } from 'commander';
import { currentDirectory } from '../terminal/resolve.ts';
import { userFolder } from './config-files.ts';
import { configKeys, PROJECT_KEYS } from './config-keys.ts';
import { decideSettings, type Setting, type Surroundings } from './settings.ts';
import { throwUsage } from './usage.ts';
import { command as wrapCommand } from './wrap.ts';

const HELP = `
Each option of agent-wrap can be set, the first that says something wins:
  its flag, its variable (AGENT_WRAP_LOG_LEVEL for --log-level),
  .agent-wrap.yaml or .agent-wrap.json of the project,
  config.yaml or config.json in $XDG_CONFIG_HOME/agent-wrap (~/.config/agent-wrap).
A project may set only: ${[...PROJECT_KEYS].join(', ')}.

Examples:
  agent-wrap config
  agent-wrap config --json
  AGENT_WRAP_NAMESPACE=team-a agent-wrap config`;

export function command(): Command {
  return throwUsage(new Command('config'))
    .description('Show each setting, its value, and where that comes from.')
    .option('--json', 'as JSON')
    .addHelpText('after', HELP)
    .action(async ({ json }: { json?: true }) => {
      const shown = await showConfig({ cwd: currentDirectory(), env: process.env });
      process.stdout.write(json ? `${JSON.stringify(shown.json, undefined, 2)}\n` : shown.text);
    });
}

/** The settings of `agent-wrap` in these surroundings, for people and for programs. */
export async function showConfig(surroundings: Surroundings) {
  const keys = configKeys(wrapCommand());
  const { settings, files } = await decideSettings(keys, surroundings);
  const known = new Set(keys.map(({ variable }) => variable));
  const unknown = Object.keys(surroundings.env).filter(
    (name) => name.startsWith('AGENT_WRAP_') && !known.has(name),
  );
  const folder = userFolder(surroundings.env);
  const rows = [
    ...settings.map((setting) => [setting.key.name, shownValue(setting.value), shownSource(setting)]),
    [],
    [
      'project file',
      files.project ?? '-',
      files.project === undefined ? '.agent-wrap.yaml is not there' : '',
    ],
    [
      'user file',
      files.user ?? '-',
      files.user === undefined && folder ? `${join(folder, 'config.yaml')} is not there` : '',
    ],
    ...unknown.map((name) => ['unknown', name, 'a variable, but no setting']),
  ];
  return {
    text: rows.map((row) => alignRow(row, rows)).join(''),
    json: {
      settings: Object.fromEntries(
        settings.map(({ key, value, source, from }) => [
          key.name,
          { value: value ?? null, source, from: from ?? null },
        ]),
      ),
      files: { project: files.project ?? null, user: files.user ?? null },
      unknownVariables: unknown,
    },
  };
}

const shownSource = ({ source, from }: Setting): string =>
  from === undefined ? source : `${source}: ${from}`;

function shownValue(value: unknown): string {
  if (value === undefined || (Array.isArray(value) && value.length === 0)) return '-';
  return Array.isArray(value) ? value.join(', ') : String(value);
}

function alignRow(row: readonly string[], rows: readonly (readonly string[])[]): string {
  const width = (column: number) => Math.max(...rows.map((each) => each[column]?.length ?? 0));
  return `${row
    .map((cell, column) => cell.padEnd(width(column)))
    .join('  ')
    .trimEnd()}\n`;
}
