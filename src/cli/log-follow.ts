/** `agent-wrap log --follow`: what is there, then what happens, whoever hosts the relay meanwhile. */
import { systemClock } from '../base/clock.ts';
import { RelayError } from '../base/errors.ts';
import { silentLog } from '../base/log.ts';
import { type WatchedEvent, watchEvents } from '../client/events.ts';
import { MAX_LOG_IDS } from '../protocol/limits.ts';
import type { MessageView } from '../protocol/message-view.ts';
import { attach } from '../wrap/attach.ts';
import { type LogFilter, readLog } from './log-pages.ts';
import type { Fate } from './message-lines.ts';
import type { Place } from './place.ts';

/** Milliseconds between two tries to find the next leader. */
const RETRY_MS = 100;

/** Deliveries whose last known state is remembered, to tell what changed while nobody told us. */
const MAX_KNOWN = 50_000;

const ENDS: ReadonlySet<string> = new Set(['delivered', 'written', 'dead']);

/** Who shows it. */
export interface Follower {
  message(message: MessageView): void;
  fate(fate: Fate): void;
  /** The relay is gone; we wait for whoever hosts it next. */
  waits(): void;
}

/** Until `signal` is aborted. Throws DAEMON_UNREACHABLE when there is no relay at the beginning. */
export async function followLog(
  place: Place,
  filter: LogFilter,
  follower: Follower,
  signal: AbortSignal,
): Promise<void> {
  const following = new Following(place, filter, follower);
  for (let told = 0; !signal.aborted; ) {
    const over = new AbortController();
    try {
      const options = { ...place, env: process.env, mayLead: false, clock: systemClock, log: silentLog };
      const attachment = await attach(options);
      await following.read((opened) =>
        watchEvents(attachment, { signal: AbortSignal.any([signal, over.signal]), opened }),
      );
    } catch (error) {
      const { leaders } = following;
      if (leaders === 0 || !RelayError.from(error).retryable) throw error;
      if (told < leaders) follower.waits();
      told = leaders;
    } finally {
      over.abort();
    }
    if (!signal.aborted) await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

class Following {
  readonly #place: Place;
  readonly #filter: LogFilter;
  readonly #follower: Follower;
  /** The state each delivery was last shown in; those without a recipient as well. */
  readonly #known = new Map<string, { at: number; state: string }>();
  /** How many leaders have been listened to. */
  leaders = 0;
  /** Wall clock, ms: what was stored from then on, or has not ended, is looked through after an outage. */
  #since: number | undefined;

  constructor(place: Place, filter: LogFilter, follower: Follower) {
    this.#place = place;
    this.#filter = filter;
    this.#follower = follower;
  }

  /** Shows what happened since the last time, then each event, until there are no more. */
  async read(watch: (opened: () => void) => AsyncIterable<WatchedEvent>): Promise<void> {
    const stream = { state: 'opening' as 'opening' | 'open' | 'ended', events: [] as WatchedEvent[] };
    let wake: () => void = () => {};
    const become = (state: 'open' | 'ended') => {
      stream.state = state;
      wake();
    };
    const change = () =>
      new Promise<void>((resolve) => {
        wake = resolve;
      });
    // Read at once, however long it takes to show them: the daemon keeps few for those who do not read.
    const reading = (async () => {
      for await (const event of watch(() => become('open'))) {
        stream.events.push(event);
        wake();
      }
    })().finally(() => become('ended'));
    reading.catch(() => {}); // Awaited below, once what came before is shown.
    if (stream.state === 'opening') await change();
    if (stream.state === 'open') {
      this.leaders++;
      await this.#catchUp();
    }
    while (stream.events.length > 0 || stream.state !== 'ended') {
      if (stream.events.length > 0) await this.#show(stream.events.splice(0, MAX_LOG_IDS));
      else await change();
    }
    await reading;
  }

  async #catchUp(): Promise<void> {
    const began = Date.now();
    const missed = this.#since === undefined ? {} : { since: this.#oldestOpen(this.#since), last: undefined };
    for (const message of await readLog(this.#place, { ...this.#filter, ...missed }))
      this.#showAgain(message);
    this.#since = began;
  }

  #oldestOpen(since: number): number {
    let oldest = since;
    for (const { at, state } of this.#known.values()) if (!ENDS.has(state)) oldest = Math.min(oldest, at);
    return oldest;
  }

  async #show(events: readonly WatchedEvent[]): Promise<void> {
    const ids = events.flatMap((event) => (event.type === 'message' ? [event.id] : []));
    const found =
      ids.length === 0
        ? []
        : await readLog(this.#place, { ...this.#filter, since: undefined, last: undefined, ids });
    for (const event of events) {
      if (event.type === 'fate') this.#showFate(event);
      if (event.type !== 'message') continue;
      // Ids are the sender's: another may have had the same.
      const message = found.find(
        ({ id, from, at }) => id === event.id && from === event.from && at === event.at,
      );
      if (message !== undefined) this.#showAgain(message);
    }
  }

  /** Shows the message; if it was shown already, only how it has ended since. */
  #showAgain(message: MessageView): void {
    const { id, from, at, deliveries } = message;
    const keys =
      deliveries.length === 0
        ? [keyOf({ id, from, to: '' })]
        : deliveries.map(({ to }) => keyOf({ id, from, to }));
    if (this.#known.get(keys[0] as string)?.at !== at) {
      this.#follower.message(message);
      for (const [index, key] of keys.entries()) this.#know(key, at, deliveries[index]?.state ?? 'delivered');
      return;
    }
    for (const { to, state, code, endedAt = Date.now() } of deliveries) {
      if (!ENDS.has(state)) continue;
      const fate = { type: 'fate', id, from, to, fate: state as Fate['fate'], at: endedAt } as const;
      this.#showFate(code === undefined ? fate : { ...fate, code });
    }
  }

  /** Each end once, be it told by an event or by the message itself. */
  #showFate(fate: Fate): void {
    const { from, to, topic, waiting } = this.#filter;
    const known = this.#known.get(keyOf(fate));
    const concerns = (from ?? fate.from) === fate.from && (to ?? fate.to) === fate.to;
    // An event does not say the topic: only that of what was shown is known.
    if (waiting || !concerns || (topic !== undefined && known === undefined)) return;
    if (known?.state === fate.fate) return;
    this.#follower.fate(fate);
    if (known !== undefined && ENDS.has(fate.fate)) this.#know(keyOf(fate), known.at, fate.fate);
  }

  #know(key: string, at: number, state: string): void {
    this.#known.delete(key);
    this.#known.set(key, { at, state });
    if (this.#known.size > MAX_KNOWN) this.#known.delete(this.#known.keys().next().value as string);
  }
}

const keyOf = ({ id, from, to }: { id: string; from: string; to: string }): string => `${from} ${id} ${to}`;
