/** Simulated time: it stands still but for the next event, and all that follows from one event comes before the next. */

interface Event {
  at: number;
  /** Of two events due at once the older one comes first. */
  order: number;
  fn: () => void;
}

const before = (a: Event, b: Event): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

export class SimTime {
  #now = 0;
  #order = 0;
  /** A binary heap. */
  readonly #events: Event[] = [];
  #hash = 0x811c9dc5;

  /** Milliseconds since the beginning. */
  get now(): number {
    return this.#now;
  }

  /** Of the times of all events there were. */
  get hash(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, '0');
  }

  after(ms: number, fn: () => void): void {
    const events = this.#events;
    const event = { at: this.#now + Math.max(0, ms), order: this.#order++, fn };
    let i = events.push(event) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (before(events[parent] as Event, event)) break;
      events[i] = events[parent] as Event;
      i = parent;
    }
    events[i] = event;
  }

  /** Runs the next event, and every promise that it settles; false if there is none. */
  async step(): Promise<boolean> {
    const next = this.#take();
    if (next === undefined) return false;
    this.#now = next.at;
    this.#hash = Math.imul(this.#hash ^ (next.at * 1e6) ^ next.order, 0x01000193);
    next.fn();
    // Behind all that waits as a microtask; a turn of the event loop costs ten times as much.
    await new Promise<void>(process.nextTick);
    return true;
  }

  #take(): Event | undefined {
    const events = this.#events;
    const first = events[0];
    const last = events.pop();
    if (first === undefined || last === undefined || events.length === 0) return first;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= events.length) break;
      if (child + 1 < events.length && before(events[child + 1] as Event, events[child] as Event)) child++;
      if (before(last, events[child] as Event)) break;
      events[i] = events[child] as Event;
      i = child;
    }
    events[i] = last;
    return first;
  }
}
