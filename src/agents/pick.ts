/** Which adapter fits a command: by the basename of what really runs, through npx, node and the like. */
import { basename } from 'node:path';
import { RelayError } from '../base/errors.ts';
import type { Adapter, Profile, SpeechKind } from './adapter.ts';
import { generic } from './generic.ts';

/** Each is loaded only for its own agent: the person waits for the first byte. */
export const ADAPTERS: Partial<Record<Profile, () => Promise<Adapter>>> = {
  claude: async () => (await import('./claude.ts')).claude,
  codex: async () => (await import('./codex.ts')).codex,
  opencode: async () => (await import('./opencode.ts')).opencode,
  gemini: async () => (await import('./gemini.ts')).gemini,
};

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

/** Programs that run another one named in their arguments, and hand on what follows its name. */
const RUNNERS = new Set(['node', 'nodejs', 'bun', 'deno', 'npx', 'bunx', 'pnpx', 'pnpm', 'yarn', 'env']);

/** Options of a runner whose value is no program that it runs. */
const TAKE_PACKAGE = new Set(['-p', '--package']);

/** Words between a runner and what it runs. */
const RUNNER_WORDS = new Set(['run', 'exec', 'dlx', 'x', '--']);

/** The name a word stands for: no folders, no version, no ending of a script. */
function nameOf(word: string): string {
  const published = /^(@[^/]+\/[^@/]+)(?:@.*)?$/.exec(word)?.[1];
  if (published !== undefined) return published;
  return basename(word)
    .replace(/(?<=.)@.*$/, '')
    .replace(/\.(?:[cm]?js|exe|cmd)$/i, '');
}

/** The agent in a command, its program first: which one, and at which word. */
export function findAgent(command: readonly string[]): { profile: Profile; index: number } | undefined {
  for (const [index, word] of command.entries()) {
    if (TAKE_PACKAGE.has(command[index - 1] ?? '')) continue;
    const name = nameOf(word);
    if (Object.hasOwn(NAMES, name)) return { profile: NAMES[name] as Profile, index };
    const runner = index === 0 && RUNNERS.has(name);
    const passes = index > 0 && (RUNNER_WORDS.has(word) || /^(-|[A-Za-z_]\w*=)/.test(word));
    if (!runner && !passes) return undefined;
  }
  return undefined;
}

/**
 * The adapter for a command (its program first), or of the profile that the person named (`--profile`).
 * `generic` if we know none. `adapters`: those there are.
 */
export async function pickAdapter(
  command: readonly string[],
  profile?: Profile,
  adapters = ADAPTERS,
): Promise<Adapter> {
  const found = findAgent(command);
  const wanted = profile ?? found?.profile ?? 'generic';
  const adapter = (await adapters[wanted]?.()) ?? generic;
  return found === undefined || found.index === 0 ? adapter : behindLauncher(adapter, found.index);
}

/** Throws USAGE if this kind of agent has no such source of speech. */
export function requireSource({ profile, sources }: Adapter, speech: SpeechKind | 'auto'): void {
  const valid: readonly string[] = ['auto', ...sources, 'screen'];
  if (valid.includes(speech)) return;
  throw new RelayError('USAGE', `--speech ${speech}: the profile ${profile} has no such source`, {
    suggestion: `use --speech ${valid.join(', ').replace(/, (\w+)$/, ' or $1')}`,
  });
}

/** The adapter for an agent that another program runs: our arguments go behind that program's own. */
function behindLauncher(adapter: Adapter, words: number): Adapter {
  return {
    ...adapter,
    async prepare(context) {
      const launcher = context.args.slice(0, words);
      const prepared = await adapter.prepare({ ...context, launcher, args: context.args.slice(words) });
      return { ...prepared, args: [...launcher, ...prepared.args] };
    },
  };
}
