/** WatchState → the rows of a screen of any size, each exactly as wide as it is. Pure. */
import type { ChalkInstance } from 'chalk';
import { sanitizeLine } from '../base/sanitize.ts';
import type { TtySize } from '../terminal/tty.ts';
import { cells, endOfWidth, toWidth } from './cells.ts';
import type { WatchedAgent, WatchedMessage, WatchState } from './model.ts';
import { renderScreen } from './render-screen.ts';

const HELP = ['q quit', '↑↓ choose', 's send', 'b to all', 'f screen', 'h hold', 'r release'] as const;
const SCREEN_HELP = ['Esc back', ...HELP.filter((key) => !key.startsWith('f '))];
/** Columns of the table of agents: title, and from which width of the screen on it is shown. */
const COLUMNS = [
  { title: 'AGENT', width: 20, from: 0 },
  { title: 'STATE', width: 12, from: 34 },
  { title: 'WAITS FOR', width: 11, from: 70 },
  { title: 'QUEUE', width: 6, from: 45 },
  { title: 'INFLIGHT', width: 9, from: 56 },
  { title: 'SPEECH', width: 10, from: 78 },
] as const;

/** Rows of the table of agents beside a followed screen: its head, the chosen one and two more. */
const ROWS_BESIDE_SCREEN = 4;

/** As many rows as the screen has; colours by `paint`. */
export function renderWatch(state: WatchState, { cols, rows }: TtySize, paint: ChalkInstance): string[] {
  const foot = paint.inverse(toWidth(footer(state, cols), cols));
  if (rows <= 1) return [foot].slice(0, rows);
  const head = paint.bold(toWidth(title(state), cols));
  const room = rows - 2;
  const most = state.followed === undefined ? Math.ceil(room / 2) : Math.min(ROWS_BESIDE_SCREEN, room - 2);
  const agents = renderAgents(state, cols, Math.max(0, Math.min(most, state.agents.length + 1)), paint);
  const left = room - agents.length;
  const below =
    state.followed === undefined
      ? messageRows(state, cols, left, paint)
      : renderScreen(state.followed, { cols, rows: left }, paint);
  return [head, ...agents, ...below, foot];
}

function title({ namespace, connection, agents, messages, forgotten, gaps }: WatchState): string {
  if (connection === 'looking') return ` relay ${namespace}: nobody hosts it; waiting for the first agent …`;
  const waiting = agents.reduce((sum, { queueDepth }) => sum + queueDepth, 0);
  const missed = gaps === 0 ? '' : ` · ${gaps} times something was missed`;
  return ` relay ${namespace} · ${agents.length} agents · ${messages.length + forgotten} messages · ${waiting} waiting${missed}`;
}

function footer({ draft, notice, followed }: WatchState, cols: number): string {
  if (notice !== undefined) return ` ${sanitizeLine(notice)}`;
  if (draft === undefined) return ` ${(followed === undefined ? HELP : SCREEN_HELP).join('  ')}`;
  const prompt = ` to ${draft.to === '*' ? 'all' : sanitizeLine(draft.to)}: `;
  // A line that is being typed is seen from its end; the cursor is a bar after it.
  return `${prompt}${endOfWidth(draft.text, Math.max(0, cols - cells(prompt) - 1))}▏`;
}

/** The table of agents in at most `room` rows with its head; the chosen one is in sight. */
export function renderAgents(
  { agents, selected }: Pick<WatchState, 'agents' | 'selected'>,
  cols: number,
  room: number,
  paint: ChalkInstance,
): string[] {
  if (room <= 0) return [];
  const shown = COLUMNS.filter(({ from }) => cols >= from);
  const row = (texts: readonly string[]) =>
    toWidth(texts.map((text, i) => toWidth(text, shown[i]?.width ?? 0)).join(''), cols);
  const head = paint.dim(row(shown.map(({ title }, i) => (i === 0 ? `  ${title}` : title))));
  // The chosen one is always in sight.
  const at = agents.findIndex(({ name }) => name === selected);
  const first = Math.max(0, Math.min(at - Math.floor((room - 1) / 2), agents.length - (room - 1)));
  const rows = agents.slice(first, first + room - 1).map((agent) => {
    const isChosen = agent.name === selected;
    const text = row(shown.map(({ title }) => cellOf(agent, title, isChosen)));
    return isChosen ? paint.bold(text) : stateColour(agent, paint)(text);
  });
  return [head, ...rows];
}

function cellOf(agent: WatchedAgent, column: (typeof COLUMNS)[number]['title'], isChosen: boolean): string {
  switch (column) {
    case 'AGENT':
      return `${isChosen ? '▸' : ' '} ${sanitizeLine(agent.name)} `;
    case 'STATE':
      return sanitizeLine(stateOf(agent));
    case 'WAITS FOR':
      return isHeld(agent) ? 'held' : sanitizeLine(agent.waitsFor ?? '');
    case 'QUEUE':
      return String(agent.queueDepth);
    case 'INFLIGHT':
      return String(agent.inflight);
    case 'SPEECH':
      return sanitizeLine(agent.speech ?? '');
  }
}

/** The agent's own state where its wrapper says it, else that of its session. */
const stateOf = ({ state, status }: WatchedAgent): string =>
  state === 'active' ? (status ?? 'connected') : state;

/** At the relay, or in its wrapper by the chord. */
const isHeld = ({ held, waitsFor }: WatchedAgent): boolean => held === true || waitsFor === 'held';

function stateColour(agent: WatchedAgent, paint: ChalkInstance): ChalkInstance {
  if (agent.state !== 'active') return paint.dim;
  if (isHeld(agent) || agent.status === 'dialog') return paint.yellow;
  return agent.status === 'busy' ? paint.cyan : paint;
}

function messageRows(state: WatchState, cols: number, room: number, paint: ChalkInstance): string[] {
  if (room <= 0) return [];
  const head = paint.dim(toWidth(`── messages ${'─'.repeat(cols)}`, cols).replace('…', '─'));
  const shown = room > 1 ? state.messages.slice(-(room - 1)) : [];
  const rows = shown.map((message) => {
    const text = toWidth(messageLine(message), cols);
    return [...message.fates.values()].some(({ fate }) => fate === 'dead') ? paint.red(text) : text;
  });
  return [head, ...rows, ...Array.from({ length: room - 1 - rows.length }, () => ' '.repeat(cols))];
}

function messageLine({ at, from, to, topic, size, body, fates }: WatchedMessage): string {
  const time = new Date(at).toTimeString().slice(0, 8);
  const way = `${sanitizeLine(from)} → ${to === '*' ? 'all' : sanitizeLine(to)}`;
  const about = topic === undefined || topic === 'default' ? '' : ` (${sanitizeLine(topic)})`;
  const what = body === undefined ? `${size} bytes` : sanitizeLine(body);
  return `${time} ${toWidth(sanitizeLine(fateOf(fates)), 10)} ${way}${about}: ${what}`;
}

/** Of one recipient the fate, of several how many have it. */
function fateOf(fates: WatchedMessage['fates']): string {
  const all = [...fates.values()];
  const [only] = all;
  if (only === undefined) return 'waiting';
  if (all.length === 1) return only.fate === 'dead' ? (only.code ?? 'dead') : only.fate;
  const dead = all.filter(({ fate }) => fate === 'dead').length;
  return dead > 0 ? `${dead} dead` : `${all.filter(({ fate }) => fate === 'delivered').length}/${all.length}`;
}
