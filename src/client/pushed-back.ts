/**
 * SENDs to recipients for whom the relay has no room now, or says that there is little. One asks again now
 * and then; taken, it is followed by two, four and more, until all are on their way or one is refused. So
 * nothing overtakes, and a recipient that takes nothing costs next to nothing. docs/protocol.md §6 (P14, P15).
 */
import type { OutboxEntry } from './outbox-entry.ts';

interface Held {
  waiting: Set<OutboxEntry>;
  /** Sent again, and not answered yet. */
  asking: Set<OutboxEntry>;
  /** As many ask at once. 0: one was refused, the next to ask does so by `ask`. */
  window: number;
}

/** The relay only advised to wait: nothing was refused. */
const ADVISED = Number.POSITIVE_INFINITY;

export class PushedBack {
  /** By recipient; `*` for broadcasts and topics. */
  readonly #held = new Map<string, Held>();

  /** Whether it has to wait behind others; it does then. */
  holds(entry: OutboxEntry): boolean {
    const held = this.#held.get(entry.to);
    if (held === undefined || held.asking.has(entry)) return false;
    held.waiting.add(entry);
    return true;
  }

  refused(entry: OutboxEntry): void {
    const held = this.#hold(entry.to, 0);
    held.window = 0;
    held.asking.delete(entry);
    held.waiting.add(entry);
  }

  /** The relay has taken it, or refused it for good: those of `kept` that may go now; undefined if it was not asking. */
  answered(entry: OutboxEntry, kept: () => Iterable<OutboxEntry>): OutboxEntry[] | undefined {
    const held = this.#held.get(entry.to);
    held?.waiting.delete(entry);
    if (held?.asking.delete(entry) !== true) return undefined;
    if (held.asking.size > 0 || held.window === 0) return [];
    held.window *= 2;
    return this.#take(entry.to, held, kept());
  }

  /** Those of `kept` that ask again: the oldest for each recipient that has refused one. */
  ask(kept: () => Iterable<OutboxEntry>): OutboxEntry[] {
    const asking: OutboxEntry[] = [];
    for (const [to, held] of this.#held) {
      if (held.window > 0) continue;
      held.window = 1;
      asking.push(...this.#take(to, held, kept()));
    }
    return asking;
  }

  /** What is for `to` is to wait until `goOn`. */
  advised(to: string): void {
    this.#hold(to, ADVISED);
  }

  /** Those of `kept` that waited because of an advice, and were not refused meanwhile. */
  goOn(kept: () => Iterable<OutboxEntry>): OutboxEntry[] {
    const free: OutboxEntry[] = [];
    for (const [to, held] of this.#held) {
      if (held.window !== ADVISED) continue;
      free.push(...this.#take(to, held, kept()));
      this.#held.delete(to);
    }
    return free;
  }

  /** A new connection has refused nothing. */
  clear(): void {
    this.#held.clear();
  }

  #hold(to: string, window: number): Held {
    const held = this.#held.get(to) ?? { waiting: new Set(), asking: new Set(), window };
    this.#held.set(to, held);
    return held;
  }

  #take(to: string, held: Held, kept: Iterable<OutboxEntry>): OutboxEntry[] {
    const taken: OutboxEntry[] = [];
    for (const entry of kept) {
      if (taken.length >= held.window) break;
      if (!held.waiting.delete(entry)) continue;
      held.asking.add(entry);
      taken.push(entry);
    }
    if (held.asking.size === 0) this.#held.delete(to);
    return taken;
  }
}
