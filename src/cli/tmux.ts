/** `agent-wrap tmux <agent agent … | file>`: a window of tmux with a pane for each wrapped agent. docs/people.md. */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { Command, Option } from 'commander';
import { RelayError } from '../base/errors.ts';
import { parsePairing } from '../run/load-pairing.ts';
import type { Pairing } from '../run/schema.ts';
import { currentDirectory } from '../terminal/resolve.ts';
import type { TtySize } from '../terminal/tty.ts';
import { paneCommand } from '../tmux/pane-command.ts';
import { type TeamMember, teamMember, teamOfWords } from '../tmux/team.ts';
import { Tmux } from '../tmux/tmux.ts';
import { TEAM_OPTION, teamCommands } from '../tmux/windows.ts';
import { agentsOf } from './known-agents.ts';
import { type Place, type PlaceOptions, placeOf, placeOptions } from './place.ts';
import { selfCommand } from './self.ts';
import { openPairing } from './tmux-pairing.ts';
import { throwUsage } from './usage.ts';

const EXAMPLES = `
Examples:
  agent-wrap tmux claude codex                  two agents, a pane each
  agent-wrap tmux ada=claude 'bob=codex -m o4'  with names, and with arguments
  agent-wrap tmux review.yaml                   the agents of a pairing file (agent-wrap run)
  agent-wrap tmux ls
  agent-wrap tmux kill`;

/** What a team is called when nobody says. */
const TEAM = 'agent-wrap';
/** Of a terminal that is not there: two agents side by side, or four. */
const SIZE_WITHOUT_TERMINAL: TtySize = { cols: 200, rows: 50 };

interface TmuxOptions extends PlaceOptions {
  session?: string;
  attach?: boolean;
  socketName?: string;
}

const socketName = () =>
  new Option('--socket-name <name>', 'a tmux server of its own, as tmux -L').argParser((value: string) => {
    if (/^[A-Za-z0-9_.-]+$/.test(value)) return value;
    throw new RelayError('USAGE', `--socket-name takes A-Z a-z 0-9 _ . -, not '${value}'`);
  });

export function command(): Command {
  const tmux = throwUsage(new Command('tmux'))
    .description('opens a window of tmux with a pane for each wrapped agent')
    .argument(
      '<agents...>',
      "commands, each one word ('name=command args'), or one pairing file (.yaml, .json)",
    )
    .addOption(
      new Option('--session <name>', `what the session or window is called (default: ${TEAM})`).argParser(
        (value: string) => {
          if (/^[A-Za-z0-9_-]{1,64}$/.test(value)) return value;
          throw new RelayError('USAGE', `--session takes 1–64 of A-Z a-z 0-9 _ -, not '${value}'`);
        },
      ),
    )
    .option('--attach', 'show it in this terminal (default: if this is a terminal)')
    .option('--no-attach', 'leave it in the background')
    .addOption(socketName())
    .addHelpText('after', EXAMPLES);
  for (const option of placeOptions()) tmux.addOption(option);
  tmux.action(async (words: string[], options: TmuxOptions) => {
    process.exitCode = await open(words, options);
  });
  return tmux.addCommand(listCommand()).addCommand(killCommand());
}

function listCommand(): Command {
  return throwUsage(new Command('ls'))
    .description('lists the teams in tmux and their agents')
    .addOption(socketName())
    .action((_, command: Command) => {
      const tmux = new Tmux(process.env, command.optsWithGlobals<TmuxOptions>().socketName);
      tmux.requireUsable();
      for (const line of teamPanes(tmux)) process.stdout.write(`${line}\n`);
    });
}

function killCommand(): Command {
  return throwUsage(new Command('kill'))
    .description('closes the windows of a team; its agents are hung up')
    .argument('[team]', 'which one (default: the only one)')
    .addOption(socketName())
    .action((team: string | undefined, _, command: Command) => {
      const tmux = new Tmux(process.env, command.optsWithGlobals<TmuxOptions>().socketName);
      tmux.requireUsable();
      kill(tmux, team);
    });
}

async function open(words: readonly string[], options: TmuxOptions): Promise<number> {
  const { env } = process;
  const tmux = new Tmux(env, options.socketName);
  tmux.requireUsable();
  const place = placeOf(options, env);
  const pairing = pairingOf(words);
  const members = pairing?.members ?? teamOfWords(words, currentDirectory(), await namesOn(place));
  const around = options.socketName === undefined ? surroundings(tmux, env) : undefined;
  const team = freeName(tmux, options.session);
  tmux.run(
    ...teamCommands({
      team,
      members,
      size: around?.size ?? terminalSize(),
      session: around?.session,
      command: (member) => paneCommand(member, { self: selfCommand(), env, place: placeWords(place) }),
    }),
  );
  const show = options.attach ?? (process.stdin.isTTY === true && process.stdout.isTTY === true);
  if (around !== undefined)
    tmux.run(['select-window', '-t', show ? `${around.session}:=${team}` : around.window]);
  if (pairing !== undefined) await openPairing(place, pairing.file);
  if (around !== undefined) return 0;
  if (show && env.TMUX === undefined) return tmux.attach(team);
  const socket = options.socketName === undefined ? '' : ` -L ${options.socketName}`;
  process.stdout.write(
    `${members.length} agents are in tmux${socket} session ${team}; to see them: ${attachHint(socket, team, env)}\n`,
  );
  return 0;
}

const attachHint = (socket: string, team: string, { TMUX }: NodeJS.ProcessEnv): string =>
  `${TMUX === undefined ? '' : 'TMUX= '}tmux${socket} attach -t ${team}`;

const placeWords = ({ namespace, socketPath }: Place): string[] => [
  ...['--namespace', namespace],
  ...(socketPath === undefined ? [] : ['--socket', resolve(socketPath)]),
];

/** One word that ends as a pairing file does. */
function pairingOf(words: readonly string[]): { file: Pairing; members: TeamMember[] } | undefined {
  const [path] = words;
  if (words.length !== 1 || path === undefined || !/\.(ya?ml|json)$/.test(path)) return undefined;
  const file = parsePairing(readText(path), path);
  const base = dirname(resolve(path));
  return { file, members: file.agents.map((agent) => teamMember(agent, resolve(base, agent.cwd ?? '.'))) };
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new RelayError('FILE_UNREADABLE', `${path} cannot be read`, { cause });
  }
}

async function namesOn(place: Place): Promise<ReadonlySet<string>> {
  return new Set(((await agentsOf(place)) ?? []).map(({ name }) => name));
}

/** Where we are in tmux: its session and window, and how large a new window would be. */
function surroundings(
  tmux: Tmux,
  { TMUX, TMUX_PANE }: NodeJS.ProcessEnv,
): { session: string; window: string; size: TtySize } | undefined {
  if (TMUX === undefined || TMUX_PANE === undefined) return undefined;
  const session = tmux.ask(['display-message', '-p', '-t', TMUX_PANE, '#{session_id}'])?.trim();
  if (session === undefined) return undefined; // The pane of another server, or of one that has gone.
  // What the session shows now: not always the window that holds our pane.
  const shown = tmux.run([
    'display-message',
    '-p',
    '-t',
    `${session}:`,
    '#{window_id} #{window_width} #{window_height}',
  ]);
  const [window = '', cols, rows] = shown.trim().split(' ');
  return { session, window, size: { cols: Number(cols), rows: Number(rows) } };
}

function terminalSize(): TtySize {
  const { columns: cols, rows } = process.stdout;
  // The last row is tmux's own.
  return cols > 0 && rows > 1 ? { cols, rows: rows - 1 } : SIZE_WITHOUT_TERMINAL;
}

/** The name that was asked for, or the first that is free. Throws USAGE. */
function freeName(tmux: Tmux, asked: string | undefined): string {
  const sessions = tmux.ask(['list-sessions', '-F', '#{session_name}'])?.split('\n') ?? [];
  const taken = new Set([...sessions, ...teamWindows(tmux).map(({ team }) => team)]);
  if (asked === undefined) {
    let n = 1;
    while (taken.has(n === 1 ? TEAM : `${TEAM}-${n}`)) n++;
    return n === 1 ? TEAM : `${TEAM}-${n}`;
  }
  if (!taken.has(asked)) return asked;
  throw new RelayError('USAGE', `there is a session or team called ${asked} already`, {
    suggestion: 'choose another --session; see: agent-wrap tmux ls',
  });
}

function teamWindows(tmux: Tmux): { window: string; team: string }[] {
  const answer = tmux.ask(['list-windows', '-a', '-F', `#{window_id} #{${TEAM_OPTION}}`]) ?? '';
  return answer.split('\n').flatMap((line) => {
    const [window, team] = line.split(' ');
    return window === undefined || team === undefined || team === '' ? [] : [{ window, team }];
  });
}

/** A line for each pane: team, agent, where it is, and whether it has ended. */
function teamPanes(tmux: Tmux): string[] {
  const format = `#{${TEAM_OPTION}}\t#{@agent_wrap_name}\t#{session_name}:#{window_index}.#{pane_index}\t#{?pane_dead,ended#{?pane_dead_status, with #{pane_dead_status},},running}`;
  const rows = (tmux.ask(['list-panes', '-a', '-F', format]) ?? '')
    .split('\n')
    .map((line) => line.split('\t'))
    .filter(([team, agent]) => team !== undefined && team !== '' && agent !== undefined && agent !== '');
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) => row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  '));
}

function kill(tmux: Tmux, asked: string | undefined): void {
  const windows = teamWindows(tmux);
  const teams = [...new Set(windows.map(({ team }) => team))];
  const [only] = teams;
  const team = asked ?? only;
  if (team === undefined || !teams.includes(team)) {
    throw new RelayError(
      'USAGE',
      team === undefined ? 'there is no team in tmux' : `there is no team called ${team}`,
      {
        suggestion: 'see: agent-wrap tmux ls',
      },
    );
  }
  if (asked === undefined && teams.length > 1) {
    throw new RelayError('USAGE', `there are several teams: ${teams.join(', ')}`, {
      suggestion: 'name the one to kill',
    });
  }
  tmux.run(
    ...windows.filter((each) => each.team === team).map(({ window }) => ['kill-window', '-t', window]),
  );
}
