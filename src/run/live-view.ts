/**
 * A run on a person's terminal: its lines, and below them its agents, painted anew in place. Between two
 * writes the cursor stands below, on a line of its own, and no mode is set, so no way out can leave the
 * terminal in another state. docs/run.md.
 */
import type { ChalkInstance } from 'chalk';
import { cells } from '../watch/cells.ts';
import type { WatchedAgent } from '../watch/model.ts';
import { renderAgents } from '../watch/render.ts';
import type { Signals } from '../wrap/signals.ts';

/** Of a terminal that does not tell. */
const UNKNOWN_SIZE = { cols: 80, rows: 24 };

export interface LiveTerminal {
  write(text: string): void;
  /** 0 or undefined: it does not tell. */
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
}

export class LiveView {
  readonly #terminal: LiveTerminal;
  readonly #paint: ChalkInstance;
  readonly #stopListening: () => void;
  #state: 'open' | 'closed' = 'open';
  #agents: readonly WatchedAgent[] = [];
  /** What stands below the last line now: cells of each row. */
  #below: readonly number[] = [];
  #painted = '';

  constructor(terminal: LiveTerminal, paint: ChalkInstance, signals: Signals) {
    this.#terminal = terminal;
    this.#paint = paint;
    this.#stopListening = signals.on('SIGCONT', () => this.#forget());
  }

  /** A line that stays. */
  line(text: string): void {
    this.#write(`${text}\n`);
  }

  /** How the agents are now. */
  show(agents: readonly WatchedAgent[]): void {
    if (this.#state === 'closed') return;
    this.#agents = agents;
    if (this.#rows().join('\n') !== this.#painted) this.#write('');
  }

  /** Takes the agents away; the lines stay. Twice is fine. */
  close(): void {
    this.#state = 'closed';
    this.#stopListening();
    this.#agents = [];
    if (this.#below.length > 0) this.#write('');
  }

  /** What stands there is the shell's now (Ctrl-Z, fg): it is not painted over. */
  #forget(): void {
    this.#below = [];
    this.#painted = '';
  }

  #write(lines: string): void {
    const { cols } = this.#size;
    // A terminal that has become narrower shows a row on several.
    const height = this.#below.reduce((sum, width) => sum + Math.max(1, Math.ceil(width / cols)), 0);
    const rows = this.#rows();
    const erase = height === 0 ? '' : `\x1b[${height}F\x1b[J`;
    this.#terminal.write(`${erase}${lines}${rows.map((row) => `${row}\n`).join('')}`);
    this.#painted = rows.join('\n');
    this.#below = rows.map((row) => cells(row.replace(/\x1b\[[\d;]*m/g, '')));
  }

  #rows(): string[] {
    const { cols, rows } = this.#size;
    if (this.#agents.length === 0) return [];
    const room = Math.min(this.#agents.length + 1, Math.floor(rows / 2));
    // Not the last cell: there some terminals wrap at once.
    const state = { agents: this.#agents, selected: undefined };
    return renderAgents(state, cols - 1, room, this.#paint);
  }

  get #size(): { cols: number; rows: number } {
    const { columns, rows } = this.#terminal;
    return { cols: columns || UNKNOWN_SIZE.cols, rows: rows || UNKNOWN_SIZE.rows };
  }
}
