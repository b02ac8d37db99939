/**
 * What one connection was refused for now: until it comes again, oldest first, nothing of its stream may
 * overtake it. docs/protocol.md §5 (P15). Pure.
 */
import { QUEUE_FULL_PAUSE_MS } from '../protocol/limits.ts';

/** Ids remembered for one stream: as many as our outbox holds. */
const MAX_REFUSED = 10_000;

interface Refused {
  /** By the place of their SEND, the oldest first. */
  waiting: { id: string; order: number }[];
  ids: Set<string>;
  /** Monotonic, ms: the oldest had till then to come again. */
  until: number;
}

export class RefusedStreams {
  /** The one whose time is up first at the front. */
  readonly #streams = new Map<string, Refused>();

  /** Some stream may be refused. */
  get any(): boolean {
    return this.size > 0;
  }

  /** Streams remembered. */
  get size(): number {
    return this.#streams.size;
  }

  /**
   * A SEND may pass if nothing of its stream is refused, or if it is the oldest that was: then its place
   * is answered, the first one it had. If not it is refused as well, and undefined is the answer. `order`
   * grows with each SEND of the connection; `now` is monotonic milliseconds.
   */
  pass(stream: string, id: string, order: number, now: number): number | undefined {
    const refused = this.#streams.get(stream);
    if (refused === undefined) return order;
    const oldest = refused.waiting[0];
    if (oldest === undefined || now >= refused.until) {
      this.#streams.delete(stream);
      return order;
    }
    if (oldest.id !== id) {
      this.refuse(stream, id, order, now);
      return undefined;
    }
    refused.waiting.shift();
    refused.ids.delete(id);
    refused.until = now + QUEUE_FULL_PAUSE_MS;
    this.#streams.delete(stream);
    if (refused.waiting.length > 0) this.#streams.set(stream, refused);
    return oldest.order;
  }

  /** The SEND of this place found no room: a full disk says so later than a full queue, so later ones may be refused already. */
  refuse(stream: string, id: string, place: number, now: number): void {
    const refused = this.#streams.get(stream) ?? this.#open(stream, now);
    if (refused.ids.has(id) || refused.ids.size >= MAX_REFUSED) return;
    let at = refused.waiting.length;
    while (at > 0 && (refused.waiting[at - 1]?.order ?? 0) > place) at--;
    refused.waiting.splice(at, 0, { id, order: place });
    refused.ids.add(id);
  }

  #open(stream: string, now: number): Refused {
    // Topics come from outside: what is here is what five seconds have brought.
    for (const [name, { until }] of this.#streams) {
      if (now < until) break;
      this.#streams.delete(name);
    }
    const refused: Refused = { waiting: [], ids: new Set(), until: now + QUEUE_FULL_PAUSE_MS };
    this.#streams.set(stream, refused);
    return refused;
  }
}
