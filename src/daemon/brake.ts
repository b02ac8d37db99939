/** The brake for runaway conversations between agents (P18): counts in sliding minutes. Pure. */
import type { DaemonSettings } from './settings.ts';

const MINUTE_MS = 60_000;

/** Times of the last events, at most `limit` of them: enough to know whether the limit is passed. */
class Window {
  #times: number[] = [];

  /** Counts one event. True when there were more than `limit` within a minute. */
  passed(now: number, limit: number): boolean {
    this.#times = this.#times.filter((time) => time > now - MINUTE_MS);
    this.#times.push(now);
    if (this.#times.length > limit + 1) this.#times.shift();
    return this.#times.length > limit;
  }

  idle(now: number): boolean {
    return (this.#times.at(-1) ?? 0) <= now - MINUTE_MS;
  }
}

interface Repeats {
  text: string;
  times: number;
  at: number;
}

export class Brake {
  readonly #settings: DaemonSettings;
  readonly #windows = new Map<string, Window>();
  readonly #repeats = new Map<string, Repeats>();

  constructor(settings: DaemonSettings) {
    this.#settings = settings;
  }

  /** Counts a message between two wrapped agents; the reason to hold the pair, if there is one. `now` ms, monotonic. */
  judge(from: string, to: string, text: string, now: number): string | undefined {
    const { brakePairPerMinute, brakeInjectionsPerMinute, brakeSameBody } = this.#settings;
    const pair = from < to ? `pair\0${from}\0${to}` : `pair\0${to}\0${from}`;
    const paired = this.#window(pair).passed(now, brakePairPerMinute);
    const injected = this.#window(`into\0${to}`).passed(now, brakeInjectionsPerMinute);
    const repeated = this.#repeated(`${from}\0${to}`, text, now) > brakeSameBody;
    if (paired) return `more than ${brakePairPerMinute} messages a minute between ${from} and ${to}`;
    if (injected) return `more than ${brakeInjectionsPerMinute} messages a minute to ${to}`;
    if (repeated) return `the same text more than ${brakeSameBody} times in a row`;
    return undefined;
  }

  /** Counts a broadcast; the reason to hold it, if there is one. */
  judgeBroadcast(from: string, now: number): string | undefined {
    const { brakeBroadcastsPerMinute: limit } = this.#settings;
    return this.#window(`all\0${from}`).passed(now, limit)
      ? `more than ${limit} broadcasts a minute of ${from}`
      : undefined;
  }

  /** Forgets pairs that have been quiet. */
  sweep(now: number): void {
    for (const [key, window] of this.#windows) if (window.idle(now)) this.#windows.delete(key);
    for (const [key, { at }] of this.#repeats) if (at <= now - MINUTE_MS) this.#repeats.delete(key);
  }

  #window(key: string): Window {
    let window = this.#windows.get(key);
    if (window === undefined) {
      window = new Window();
      this.#windows.set(key, window);
    }
    return window;
  }

  #repeated(key: string, text: string, now: number): number {
    const last = this.#repeats.get(key);
    const times = last?.text === text ? last.times + 1 : 1;
    this.#repeats.set(key, { text, times, at: now });
    return times;
  }
}
