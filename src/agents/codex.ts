/**
 * Codex CLI, seen in 0.169.0. Its speech is its rollout file, its state OSC 7501; an Enter while it works
 * interrupts it. It is started as the person would start it: with its app-server daemon or without.
 * real-agents.md §1, §4, §5.
 */
import { join, resolve } from 'node:path';
import type { Adapter, AdapterContext, McpLaunch } from './adapter.ts';
import { textOf } from './agent-files.ts';
import { hasOption, optionValue } from './arguments.ts';
import { CodexQueue } from './codex-queue.ts';
import { codexAsks, codexInputBox, codexTitle } from './codex-screen.ts';
import { CodexThreads } from './codex-threads.ts';
import { realPath } from './real-path.ts';
import { SignalState } from './signal-state.ts';

/** Subcommands that begin no session here: they are left alone. */
const OTHERS = new Set(
  (
    'login logout mcp mcp-server app-server app completion update doctor sandbox debug apply a cloud ' +
    'features help queue plugin archive unarchive delete agents remote-control migrate-rollouts ' +
    'migrate-nfs-db exec-server'
  ).split(' '),
);

/** Options whose value is an argument of its own. */
const TAKE_VALUE = new Set([
  ...['-c', '--config', '-m', '--model', '-p', '--profile', '-s', '--sandbox', '-C', '--cd', '--add-dir'],
  ...['-a', '--ask-for-approval', '-i', '--image', '--enable', '--disable', '--local-provider', '--remote'],
]);

/** The first argument that is neither an option nor the value of one. */
function subcommand(args: readonly string[]): string | undefined {
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] as string;
    if (!arg.startsWith('-')) return arg;
    if (TAKE_VALUE.has(arg)) i++;
  }
  return undefined;
}

/** Somebody set `developer_instructions` already: ours would replace theirs. */
function hasOwnInstructions(context: AdapterContext, home: string): boolean {
  const files = [join(home, 'config.toml'), join(context.cwd, '.codex', 'config.toml')];
  const profile = optionValue(context.args, '-p', '--profile');
  if (profile !== undefined) files.push(join(home, `${profile}.config.toml`));
  return [context.args.join('\n'), ...files.map(textOf)].some((text) =>
    /\bdeveloper_instructions\s*=/.test(text),
  );
}

/**
 * The relay's tools for this run. Codex gives a server only the variables that are named, and under
 * `--ask-for-approval never` refuses a tool that writes unless its server is approved. Seen in 0.169.0.
 */
function mcpArguments({ command, args, envVars }: McpLaunch): string[] {
  const settings = { command, args, env_vars: envVars, default_tools_approval_mode: 'approve' };
  // Valid TOML: JSON's strings and lists of strings are TOML's.
  return Object.entries(settings).flatMap(([key, value]) => [
    '-c',
    `mcp_servers.relay.${key}=${JSON.stringify(value)}`,
  ]);
}

export const codex: Adapter = {
  profile: 'codex',
  sources: ['transcript'],

  async prepare(context) {
    const { args, briefing, clock, cwd, env, log } = context;
    const first = subcommand(args);
    const session = first === undefined || !OTHERS.has(first);
    const home = env.CODEX_HOME || join(env.HOME ?? '/', '.codex');
    // What `-c` says is lost on the way to a server elsewhere (0.169.0).
    const remote = hasOption(args, '--remote');
    // A resumed thread keeps the instructions it began with.
    const byMessage =
      remote || ['resume', 'fork', 'review'].includes(first ?? '') || hasOwnInstructions(context, home);
    const configured = session && briefing !== undefined && !byMessage;
    const state = new SignalState({ title: codexTitle, asks: codexAsks, inputBox: codexInputBox }, log);
    const folder = resolve(cwd, optionValue(args, '-C', '--cd') ?? '.');
    const threads = new CodexThreads({
      folder: join(home, 'sessions'),
      cwds: [folder, realPath(folder)],
      source: first === 'exec' || first === 'e' ? 'exec' : 'cli',
      briefing: configured ? briefing : undefined,
      positions: context.positions,
      clock,
      log,
    });
    state.onChange((now) => (now === 'busy' ? threads.turnBegan() : now === 'ready' && threads.turnEnded()));
    // Valid TOML: a JSON string is a basic string of TOML.
    const config = configured ? ['-c', `developer_instructions=${JSON.stringify(briefing)}`] : [];
    if (session && context.mcp !== undefined) {
      if (remote) log.warn('codex-no-tools', { reason: 'codex --remote takes no settings for one run' });
      else config.push(...mcpArguments(context.mcp));
    }
    const listed = session && (context.speech === 'auto' || context.speech === 'transcript');
    const { file, launcher = [] } = context;
    const queue = new CodexQueue({ file, launcher, env, cwd, thread: () => threads.current });
    return {
      args: [...config, ...args],
      env: {},
      speech: listed ? [threads] : [],
      state,
      inputBox: codexInputBox,
      typeWhileBusy: false,
      native: listed ? queue : undefined,
      briefByMessage: session && briefing !== undefined && byMessage,
      async close() {
        await threads.close();
        await queue.close();
      },
    };
  },
};
