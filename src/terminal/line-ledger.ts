/**
 * Which of the lines on a screen are new: each line that a program really produced is given out once,
 * however often it is drawn. terminal.md §3d, commit rule.
 *
 * An *item* is a line on the screen now; an *entry* a line that was given out. Items are carried from one
 * look to the next by aligning the two screens in order, so that text which only moved stays itself. What
 * is then unknown may be an entry that was erased and is drawn again (a cleared screen, a switch of
 * screens, scrolling back): it is taken for one only in the order of the entries, below those still
 * visible above it, and with a known neighbour or in its old place. So a second honest "ok" is new.
 */
import { alignInOrder } from './align.ts';

export interface SeenLine {
  text: string;
  /** Row of the screen, 0-based; below 0 for rows that have scrolled into the history. */
  row: number;
  /** It cannot change any more. */
  final: boolean;
  /** The cursor stands at its end: it is probably still being written. */
  atCursor: boolean;
}

interface Item extends SeenLine {
  key: string;
  since: number;
  /** Number of its entry, once it was given out. */
  entry: number | undefined;
}

interface Entry {
  key: string;
  row: number;
}

/** Milliseconds a line must stand unchanged; above the pauses of a model in mid-line (terminal.md §3b). */
export const STABLE_MS = 1000;
/** The same for the line the cursor is in: longer pauses than 1 s are common there. */
export const CURSOR_STABLE_MS = 3000;
/**
 * The same for a line below one that is still changing. Text grows downwards, so such a line is the status
 * bar under a growing answer, which must not get between the lines of a block; or text under a spinner.
 */
export const OUT_OF_ORDER_STABLE_MS = 10_000;
/** Entries remembered: what an agent reprints after a clear or a resize is rarely longer. */
const MAX_ENTRIES = 4000;
/** Entries that may lie between two neighbours on the screen: status lines given out in between. */
const NEAR = 16;

export class LineLedger {
  readonly #onLine: (line: string) => void;
  #items: Item[] = [];
  #entries: Entry[] = [];
  /** Number of the first entry still remembered. */
  #base = 0;

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  /** Notes lines that were already given out and stand on the screen that will be seen first. */
  prime(lines: readonly string[], now: number): void {
    this.#items = lines.flatMap((text, row) => {
      const key = keyOf(text);
      if (key === '') return [];
      const item = {
        text,
        row,
        final: false,
        atCursor: false,
        key,
        since: now,
        entry: this.#enter(key, row),
      };
      return [item];
    });
  }

  /** Looks at the lines from top to bottom; gives out what is final or stood long enough. */
  observe(lines: readonly SeenLine[], now: number): void {
    const seen = this.#carry(lines, now);
    this.#recall(seen);
    let waiting = false;
    this.#giveOut(seen, (item) => {
      const wanted = waiting ? OUT_OF_ORDER_STABLE_MS : item.atCursor ? CURSOR_STABLE_MS : STABLE_MS;
      const due = item.final || now - item.since >= wanted;
      waiting ||= !due;
      return due;
    });
    this.#items = seen.filter((item) => !item.final);
  }

  /** Gives out everything that stands on the screen: nothing will be drawn any more. */
  flush(): void {
    this.#giveOut(this.#items, () => true);
  }

  /** Whether a further look could give something out without new output. */
  get pending(): boolean {
    return this.#items.some((item) => item.entry === undefined);
  }

  /** The items of a screen that is hidden now, to be put back when it is shown again. */
  swap(items: LedgerItems | undefined): LedgerItems {
    const before = this.#items;
    this.#items = (items as Item[] | undefined) ?? [];
    return before;
  }

  #carry(lines: readonly SeenLine[], now: number): Item[] {
    const seen = lines.flatMap<Item>((line) => {
      const key = keyOf(line.text);
      return key === '' ? [] : [{ ...line, key, since: now, entry: undefined }];
    });
    const pairs = alignInOrder(
      this.#items.map((item) => item.key),
      seen.map((item) => item.key),
    );
    this.#giveOutScrolledOff(seen, pairs);
    for (const [from, to] of pairs) {
      const before = this.#items[from] as Item;
      const item = seen[to] as Item;
      item.since = before.since;
      item.entry = before.entry;
      if (item.entry !== undefined) this.#move(item.entry, item.row);
    }
    return seen;
  }

  /**
   * A TUI that scrolls by drawing each row anew: what stood in the rows that are gone at the top was
   * complete, as text below it moved up unchanged.
   */
  #giveOutScrolledOff(seen: readonly Item[], pairs: readonly (readonly [number, number])[]): void {
    const shifts = pairs.map(([from, to]) => (this.#items[from] as Item).row - (seen[to] as Item).row);
    const still = shifts.findIndex((shift) => shift !== 0);
    const shift = shifts[still];
    const header = pairs[still - 1];
    if (shift === undefined || shift < 0 || shifts.filter((other) => other === shift).length < 2) return;
    const top = header === undefined ? -1 : (this.#items[header[0]] as Item).row;
    const kept = new Set(pairs.map(([from]) => from));
    const gone = this.#items.filter((item, at) => !kept.has(at) && item.row > top && item.row <= top + shift);
    this.#giveOut(gone, () => true);
  }

  /** Marks those unknown items as given out that are entries drawn again. */
  #recall(seen: readonly Item[]): void {
    let lowest = this.#base;
    for (let at = 0; at < seen.length; ) {
      const item = seen[at] as Item;
      if (item.entry !== undefined) {
        lowest = Math.max(lowest, item.entry + 1);
        at++;
        continue;
      }
      let end = at;
      while (end < seen.length && seen[end]?.entry === undefined) end++;
      this.#recallRun(seen, at, end, lowest);
      for (; at < end; at++) lowest = Math.max(lowest, (seen[at]?.entry ?? -1) + 1);
    }
  }

  #recallRun(seen: readonly Item[], start: number, end: number, lowest: number): void {
    const onScreen = new Set(seen.map((item) => item.entry));
    const run = seen.slice(start, end);
    const keys = new Set(run.map((item) => item.key));
    const candidates: number[] = [];
    for (let entry = lowest; entry < this.#base + this.#entries.length; entry++) {
      if (keys.has(this.#entry(entry).key) && !onScreen.has(entry)) candidates.push(entry);
    }
    if (candidates.length === 0) return;
    const guesses = new Map(
      alignInOrder(
        candidates.map((entry) => this.#entry(entry).key),
        run.map((item) => item.key),
      ).map(([from, to]) => [start + to, candidates[from] as number]),
    );
    const entryAt = (at: number) => guesses.get(at) ?? seen[at]?.entry;
    const near = (entry: number, other: number | undefined) =>
      other !== undefined && Math.abs(entry - other) <= NEAR;
    for (const [at, entry] of guesses) {
      const item = seen[at] as Item;
      const known = near(entry, entryAt(at - 1)) || near(entry, entryAt(at + 1));
      if (!known && this.#entry(entry).row !== item.row) continue;
      item.entry = entry;
      this.#move(entry, item.row);
    }
  }

  #giveOut(items: readonly Item[], due: (item: Item) => boolean): void {
    for (const item of items) {
      if (item.entry !== undefined || !due(item)) continue;
      item.entry = this.#enter(item.key, item.row);
      this.#onLine(item.text);
    }
    const excess = this.#entries.length - MAX_ENTRIES;
    if (excess < MAX_ENTRIES / 4) return;
    this.#entries.splice(0, excess);
    this.#base += excess;
  }

  #enter(key: string, row: number): number {
    return this.#base + this.#entries.push({ key, row }) - 1;
  }

  #entry(number: number): Entry {
    return this.#entries[number - this.#base] as Entry;
  }

  #move(entry: number, row: number): void {
    if (entry >= this.#base) this.#entry(entry).row = row;
  }
}

/** Items of one screen, opaque outside the ledger. */
export type LedgerItems = readonly object[];

/** Blanks do not tell lines apart: tabs become blanks on a screen. */
const keyOf = (text: string): string => text.replace(/\s+/g, ' ').trim();
