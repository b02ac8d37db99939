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

  /** Milliseconds since the beginning. */
  get now(): number {
    return this.#now;
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
    next.fn();
    await new Promise<void>((resolve) => setImmediate(resolve));
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
