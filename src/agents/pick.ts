/** Which adapter fits a command: by the basename of what really runs, through npx, node and the like. */
import { basename } from 'node:path';
import type { Adapter, Profile } from './adapter.ts';
import { claude } from './claude.ts';
import { codex } from './codex.ts';
import { generic } from './generic.ts';

/** Names under which an agent is installed or published. */
const NAMES: Record<string, Profile> = {
  claude: 'claude',
  'claude-code': 'claude',
  '@anthropic-ai/claude-code': 'claude',
  codex: 'codex',
  '@openai/codex': 'codex',
  opencode: 'opencode',
  'opencode-ai': 'opencode',
  gemini: 'gemini',
  'gemini-cli': 'gemini',
  '@google/gemini-cli': 'gemini',
};

/** Programs that run another one named in their arguments. */
const RUNNERS = new Set([
  'node',
  'nodejs',
  'bun',
  'deno',
  'npx',
  'bunx',
  'pnpx',
  'npm',
  'pnpm',
  'yarn',
  'env',
]);

/** Words between a runner and what it runs. */
const RUNNER_WORDS = new Set(['run', 'exec', 'dlx', 'x', '--', '-y', '--yes', '-q', '--quiet']);

/** The name a word stands for: no folders, no version, no ending of a script. */
function nameOf(word: string): string {
  const published = /^(@[^/]+\/[^@/]+)(?:@.*)?$/.exec(word)?.[1];
  if (published !== undefined) return published;
  return basename(word)
    .replace(/(?<=.)@.*$/, '')
    .replace(/\.(?:[cm]?js|exe|cmd)$/i, '');
}

/** The profile that fits `command`, its program first. `generic` if we know none. */
export function profileOf(command: readonly string[]): Profile {
  for (const word of command) {
    const name = nameOf(word);
    if (Object.hasOwn(NAMES, name)) return NAMES[name] as Profile;
    const passes = RUNNERS.has(name) || RUNNER_WORDS.has(word) || /^(-|[A-Za-z_]\w*=)/.test(word);
    if (!passes) return 'generic';
  }
  return 'generic';
}

/**
 * The adapter of a profile, or of the command if no profile is named (`--profile`). `known` holds the
 * adapters there are.
 */
export function pickAdapter(
  command: readonly string[],
  profile: Profile = profileOf(command),
  known: readonly Adapter[] = ADAPTERS,
): Adapter {
  return known.find((adapter) => adapter.profile === profile) ?? generic;
}

export const ADAPTERS: readonly Adapter[] = [claude, codex, generic];
