/**
 * The commands of tmux that open a team: windows of panes, each pane one wrapped agent with its name on its
 * border. All of it belongs to these windows alone; the person's own settings stay as they are.
 */
import type { TtySize } from '../terminal/tty.ts';
import type { TeamMember } from './team.ts';

/** Cells below which an agent's pane is of no use: more agents get another window. */
const LEAST_COLS = 60;
const LEAST_ROWS = 10;
/** Columns from which two agents stand side by side: each then has the 80 that programs expect. */
const SIDE_BY_SIDE_COLS = 161;

/** Marks our windows, with the name of the team: what `ls` and `kill` look for. */
export const TEAM_OPTION = '@agent_wrap_team';
/** The agent of a pane. Not the pane's title: agents set that one themselves. */
export const NAME_OPTION = '@agent_wrap_name';

/** The name, and what the agent says of itself in its title. */
const BORDER = ` #{?pane_active,#[bold],}#{${NAME_OPTION}}#[nobold]#{?#{==:#{pane_title},#{${NAME_OPTION}}},, · #{=40:pane_title}} `;

export interface TeamPlan {
  team: string;
  members: readonly TeamMember[];
  size: TtySize;
  /** The session in which the windows are opened; undefined: a new one, named as the team. */
  session: string | undefined;
  /** What a pane runs. */
  command: (member: TeamMember) => readonly string[];
}

/** How many agents one window of this size has room for. */
export function panesPerWindow(size: TtySize): number {
  let count = 1;
  while (hasRoom(count + 1, size)) count++;
  return count;
}

function hasRoom(panes: number, size: TtySize): boolean {
  const { columns, lines } = grid(panes, size);
  return size.cols / columns >= LEAST_COLS && size.rows / lines >= LEAST_ROWS;
}

/** How the layout below arranges so many panes; `tiled` as in layout-set.c of tmux. */
function grid(panes: number, size: TtySize): { columns: number; lines: number } {
  if (layout(panes, size) === 'even-horizontal') return { columns: panes, lines: 1 };
  let columns = 1;
  let lines = 1;
  while (columns * lines < panes) {
    lines++;
    if (columns * lines < panes) columns++;
  }
  return { columns, lines };
}

/** tmux commands, to be given to the server at once: an agent that ends at once must find its window ready. */
export function teamCommands({ team, members, size, session, command }: TeamPlan): string[][] {
  const target = `${session ?? `=${team}`}:`; // Its current window: the one made last.
  const room = panesPerWindow(size);
  const commands: string[][] = [];
  for (const [index, member] of members.entries()) {
    const run = ['-c', member.cwd, '--', ...command(member)];
    const isFirst = index % room === 0;
    if (isFirst) {
      const open = ['-n', team, ...run];
      const isNewSession = index === 0 && session === undefined;
      commands.push(
        isNewSession
          ? ['new-session', '-d', '-s', team, '-x', String(size.cols), '-y', String(size.rows), ...open]
          : ['new-window', '-t', target, ...open],
        // An agent that fails is seen with its last words.
        ['set-option', '-w', '-t', target, 'remain-on-exit', 'failed'],
        ['set-option', '-w', '-t', target, 'pane-border-status', 'top'],
        ['set-option', '-w', '-t', target, 'pane-border-format', BORDER],
        ['set-option', '-w', '-t', target, TEAM_OPTION, team],
      );
    } else {
      // Even after each: else the last pane is halved until there is no room.
      commands.push(['split-window', '-t', target, ...run], ['select-layout', '-t', target, 'tiled']);
    }
    commands.push(
      ['set-option', '-p', '-t', target, NAME_OPTION, member.name],
      ['select-pane', '-t', target, '-T', member.name],
    );
    const count = (index % room) + 1;
    if (count === room || index === members.length - 1) {
      commands.push(
        ['select-layout', '-t', target, layout(count, size)],
        ['select-pane', '-t', `${target}.{top-left}`],
      );
    }
  }
  return commands;
}

function layout(panes: number, { cols }: TtySize): string {
  if (panes > 2) return 'tiled';
  return cols >= SIDE_BY_SIDE_COLS ? 'even-horizontal' : 'even-vertical';
}
