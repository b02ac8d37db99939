/** The subcommands, each in `src/cli/<name>.ts` and loaded only when it is used. */
import type { Command } from 'commander';

export interface Subcommand {
  /** One line for the general help; absent: not for people. */
  summary?: string;
  /** It has more to do than to print: it goes on when nobody reads what it prints. */
  works?: true;
  load: () => Promise<{
    command: (all: Subcommands) => Command;
    /** What may stand in place of its first argument, for completions. */
    words?: () => Promise<{ word: string; description: string }[]>;
  }>;
}

export type Subcommands = Readonly<Record<string, Subcommand>>;

export const SUBCOMMANDS: Subcommands = {
  demo: {
    summary: 'two scripted agents talk to each other',
    load: () => import('./demo.ts'),
  },
  'demo-agent': { load: () => import('./demo-agent.ts') },
  send: {
    summary: 'send a message to an agent, to everybody or to a topic',
    load: () => import('./send.ts'),
  },
  watch: { summary: 'show agents and messages as they flow', load: () => import('./watch.ts') },
  tmux: { summary: 'open wrapped agents side by side in tmux', load: () => import('./tmux.ts') },
  call: { summary: 'call a command of the relay', load: () => import('./call.ts') },
  commands: { summary: 'list the commands of the relay', load: () => import('./commands.ts') },
  mcp: { summary: 'serve the relay to an agent as MCP tools', load: () => import('./mcp.ts') },
  daemon: { summary: 'host the relay without an agent', works: true, load: () => import('./daemon.ts') },
  extract: {
    summary: 'print the directives in a text or a recording',
    load: () => import('./extract.ts'),
  },
  run: {
    summary: 'run a pairing of agents from a file, for CI',
    works: true,
    load: () => import('./run.ts'),
  },
  'run-guard': { works: true, load: () => import('./run-guard.ts') },
  replay: { summary: 'play a recording', load: () => import('./replay.ts') },
  agents: { summary: 'list the agents of the relay', load: () => import('./agents.ts') },
  log: { summary: 'show each message and what became of it', load: () => import('./log.ts') },
  inbox: { summary: 'show what waits for an agent', load: () => import('./inbox.ts') },
  deadletters: {
    summary: 'list, redeliver or drop what ended undelivered',
    load: () => import('./deadletters.ts'),
  },
  hold: { summary: 'hold all messages for an agent', load: () => import('./hold.ts') },
  release: { summary: 'let held messages for an agent go on', load: () => import('./release.ts') },
  store: { summary: 'check what the relay keeps on disk', load: () => import('./store.ts') },
  config: { summary: 'show the settings and where each comes from', load: () => import('./config.ts') },
  doctor: { summary: 'look for what is missing, and say what to do', load: () => import('./doctor.ts') },
  completions: { summary: 'print completions for a shell', load: () => import('./completions.ts') },
  complete: { load: () => import('./complete.ts') },
  man: { summary: 'print the man page', load: () => import('./man.ts') },
};

/** Which subcommand the arguments name; `undefined` means: wrap an agent (or general help). */
export function pickSubcommand(argv: readonly string[]): string | undefined {
  const first = argv[0];
  return first !== undefined && Object.hasOwn(SUBCOMMANDS, first) ? first : undefined;
}

/** What general help says of them. */
export function renderSubcommands(all: Subcommands): string {
  const shown = Object.entries(all).filter(([, { summary }]) => summary !== undefined);
  const width = Math.max(...shown.map(([name]) => name.length));
  const lines = shown.map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`);
  return ['', 'Commands (agent-wrap <command> --help says more):', ...lines].join('\n');
}
