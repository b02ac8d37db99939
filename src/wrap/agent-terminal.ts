/** The agent's terminal as the injector sees and uses it: what is on it, who typed last, one way to type. */
import { StringDecoder } from 'node:string_decoder';
import type { ScreenView } from '../agents/adapter.ts';
import type { Clock } from '../base/clock.ts';
import { strip } from '../base/strip.ts';
import type { AgentTerminal, Hold } from '../inject/typing.ts';
import type { ScreenFrame } from '../protocol/screen-frame.ts';
import { DraftTracker } from '../terminal/draft-tracker.ts';
import { lineMode } from '../terminal/line-mode.ts';
import type { SettledLines } from '../terminal/settled-lines.ts';
import type { TypedLines } from '../terminal/typed-lines.ts';
import type { Passthrough } from './passthrough.ts';
import type { ScreenSource } from './screen-server.ts';

/** Bytes of output kept while the agent only prints lines: more than any screen shows. */
const TAIL_BYTES = 64 * 1024;
/** How long a view waits for a redraw to end, milliseconds. */
const SETTLE_MS = 1_000;
const LOOK_MS = 20;

/** Before the agent runs there is nobody to type. */
const NO_HOLD: Hold = { broken: 'no', release: () => {} };

export class WrappedTerminal implements AgentTerminal, ScreenSource {
  readonly #lines: SettledLines;
  readonly #typed: TypedLines;
  readonly #decoder = new StringDecoder();
  readonly #clock: Clock;
  readonly #draft = new DraftTracker();
  #passthrough: Passthrough | undefined;
  /** The last output, as it came: at least `TAIL_BYTES`, if there was as much. */
  readonly #tail: Buffer[] = [];
  #tailBytes = 0;
  #lastOutputAt: number;
  readonly #listeners = new Set<() => void>();

  /** `typed` is told of all that is typed, by whomever. */
  constructor(lines: SettledLines, typed: TypedLines, clock: Clock) {
    this.#lines = lines;
    this.#typed = typed;
    this.#clock = clock;
    this.#lastOutputAt = clock.monotonic();
  }

  get lastOutputAt(): number {
    return this.#lastOutputAt;
  }

  get lastKeyAt(): number {
    return this.#passthrough?.lastInputAt() ?? Number.NEGATIVE_INFINITY;
  }

  get keysSinceSubmit(): number {
    return this.#draft.keys;
  }

  /** The agent runs: from now on there is something to type into. */
  attach(passthrough: Passthrough): void {
    this.#passthrough = passthrough;
  }

  /** The agent printed this. */
  output(chunk: Buffer): void {
    this.#lastOutputAt = this.#clock.monotonic();
    if (!this.#lines.drawn) this.#keep(chunk);
    this.#changed();
  }

  /** The person (or their terminal) sent this. */
  input(chunk: Buffer): void {
    this.#draft.push(chunk);
    this.#typed.note(this.#decoder.write(chunk));
    this.#changed();
  }

  /** The person has suspended the agent. */
  suspended(): void {
    this.#draft.suspended();
  }

  async write(bytes: Buffer): Promise<void> {
    this.#typed.note(bytes.toString());
    await this.#passthrough?.write(bytes);
  }

  async paste(bytes: Buffer): Promise<Hold> {
    this.#typed.note(bytes.toString());
    return (await this.#passthrough?.paste(bytes)) ?? NO_HOLD;
  }

  async lineMode() {
    return this.#passthrough === undefined ? undefined : lineMode(this.#passthrough.agentTty);
  }

  onceChanged(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async view(): Promise<ScreenView> {
    const { screen } = this.#lines;
    if (!this.#lines.drawn) return this.#printed();
    await this.#lines.drained();
    const deadline = this.#clock.monotonic() + SETTLE_MS;
    while (screen.updating && this.#clock.monotonic() < deadline) {
      await new Promise<void>((resolve) => void this.#clock.after(LOOK_MS, resolve));
    }
    return screenView(this.#lines);
  }

  /** For those who follow the screen. An emulator is not loaded for them. */
  async frame(): Promise<ScreenFrame> {
    const view = await this.view();
    const { cols, rows } = this.#lines.size;
    const all = view.rows();
    // Of printed lines there are more than a screen has; the cursor is in the last.
    const first = this.#lines.drawn ? 0 : Math.max(0, all.length - rows);
    const { row, column } = view.cursor;
    return { cols, rows, text: all.slice(first), cursor: { row: Math.max(0, row - first), column } };
  }

  /** A program that only prints lines has no screen: its last lines stand for one. */
  #printed(): ScreenView {
    const rows = strip(Buffer.concat(this.#tail).toString()).split('\n');
    return {
      rows: () => rows,
      cursor: { row: rows.length - 1, column: rows.at(-1)?.length ?? 0 },
      faint: () => false,
      bracketedPaste: this.#lines.bracketedPaste,
      alternateScreen: false,
    };
  }

  #keep(chunk: Buffer): void {
    this.#tail.push(chunk);
    this.#tailBytes += chunk.length;
    for (
      let [first] = this.#tail;
      first && this.#tailBytes - first.length >= TAIL_BYTES;
      [first] = this.#tail
    ) {
      this.#tailBytes -= first.length;
      this.#tail.shift();
    }
  }

  #changed(): void {
    for (const listener of this.#listeners) {
      this.#listeners.delete(listener);
      listener();
    }
  }
}

/** The emulated screen, as adapters look at it. */
export function screenView(lines: SettledLines): ScreenView {
  const { screen } = lines;
  return {
    rows: () => screen.rows(),
    cursor: screen.cursor,
    faint: (row, column) => screen.faint(row, column),
    bracketedPaste: screen.bracketedPaste,
    alternateScreen: screen.alternateScreen,
  };
}
