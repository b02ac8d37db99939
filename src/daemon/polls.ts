/**
 * Polling, for agents without a connection: what is handed out is claimed, and confirmed by the next
 * poll's `since`. docs/protocol.md §Polling (P27).
 */
import { RelayError } from '../base/errors.ts';
import type { Delivery } from './message.ts';
import type { Relay } from './relay.ts';

export interface Polled {
  delivery: Delivery;
  /** The reader may have seen it before. */
  repeated: boolean;
}

export interface Page {
  messages: Polled[];
  /** More waits right now. */
  hasMore: boolean;
}

/** Which messages a poll asks for; undefined: all. */
export type Wanted = ((delivery: Delivery) => boolean) | undefined;

export class Polls {
  readonly #relay: Relay;
  readonly #waiting = new Map<string, Set<() => void>>();
  #state: 'open' | 'closed' = 'open';

  constructor(relay: Relay) {
    this.#relay = relay;
  }

  /**
   * Confirms the answer that held `since`, then hands out up to `limit` messages, once all that is stored.
   * Throws STALE for a `since` that nobody was given.
   */
  async page(name: string, since: string | null, limit: number, wanted?: Wanted): Promise<Page> {
    const mailbox = this.#relay.state.mailbox(name);
    const confirmed = since !== null && this.#confirm(name, since);
    if (wanted !== undefined || limit === 0) return this.#select(name, since, confirmed, limit, wanted);
    const pending = mailbox.claims.find((claim) => claim.since === since && claim.deliveries.some(isOpen));
    if (pending !== undefined) {
      const open = pending.deliveries.filter(isOpen);
      const again = open.slice(0, limit);
      // What this answer has no room for must not be confirmed with it: its claim ends.
      if (open.length > limit) await this.#claim(name, since, again, pending.until);
      const messages = again.map((delivery) => ({ delivery, repeated: true }));
      return { messages, hasMore: this.#available(name) };
    }
    const messages = this.#take(name, limit).map((delivery) => ({
      delivery,
      repeated: delivery.repeated(this.#relay.epoch),
    }));
    const { clock, settings } = this.#relay;
    if (messages.length > 0 || confirmed) {
      const taken = messages.map(({ delivery }) => delivery);
      await this.#claim(name, since, taken, clock.now() + settings.claimMs);
    }
    return { messages, hasMore: this.#available(name) };
  }

  /**
   * Resolves when something may wait for the name, when `ms` have passed, or when the caller gave up.
   * Throws SHUTTING_DOWN.
   */
  wait(name: string, ms: number, signal: AbortSignal, wanted?: Wanted): Promise<void> {
    if (this.#state === 'closed') throw new RelayError('SHUTTING_DOWN', 'the daemon is leaving');
    if (this.#available(name, wanted) || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(name) ?? new Set();
      this.#waiting.set(name, waiting);
      const done = () => {
        timer.cancel();
        signal.removeEventListener('abort', done);
        waiting.delete(done);
        if (waiting.size === 0 && this.#waiting.get(name) === waiting) this.#waiting.delete(name);
        resolve();
      };
      const timer = this.#relay.clock.after(ms, done);
      signal.addEventListener('abort', done);
      waiting.add(done);
    });
  }

  wake(name: string): void {
    for (const done of [...(this.#waiting.get(name) ?? [])]) done();
  }

  /** The daemon leaves: nobody is kept waiting, and who would wait on is refused. */
  close(): void {
    this.#state = 'closed';
    for (const name of [...this.#waiting.keys()]) this.wake(name);
  }

  /** Claims that nobody confirmed in time return, with the same ids. */
  fellDue(name: string): void {
    const mailbox = this.#relay.state.mailbox(name);
    const now = this.#relay.clock.now();
    for (let i = mailbox.claims.length - 1; i >= 0; i--) {
      const claim = mailbox.claims[i];
      if (claim === undefined || claim.until > now) continue;
      mailbox.claims.splice(i, 1);
      this.#relay.router.putBack(claim.deliveries);
    }
    this.#relay.router.wake(name);
  }

  /** Stored: also a claim of nothing, which says that what was confirmed before it is safe. */
  #claim(name: string, since: string | null, deliveries: readonly Delivery[], until: number): Promise<void> {
    const seqs = deliveries.map(({ seq }) => seq);
    return this.#relay.journal.committed({ t: 'claim', name, since, seqs, until });
  }

  /** True when something was confirmed now: what was confirmed before may be named again. */
  #confirm(name: string, since: string): boolean {
    const { state, router } = this.#relay;
    const { claims } = state.mailbox(name);
    const at = claims.findIndex(({ deliveries }) => deliveries.some(({ id }) => id === since));
    const [claim] = at === -1 ? [] : claims.splice(at, 1);
    const named = state.messages.byDeliverId(since);
    if (claim === undefined && named?.recipient !== name) {
      throw new RelayError('STALE', `no message of ${name} has the id ${JSON.stringify(since)}`, {
        suggestion: 'poll without since: what was not confirmed comes again',
      });
    }
    router.delivered(claim?.deliveries ?? []);
    // Its claim has lapsed. Handed out once more, it would let the same `since` confirm an answer that was lost.
    const lapsed = claim === undefined && named?.state === 'waiting';
    if (lapsed) router.delivered([named]);
    return claim !== undefined || lapsed;
  }

  /** A poll for some of what waits: a claim of its own, which leaves all others as they are. */
  async #select(
    name: string,
    since: string | null,
    confirmed: boolean,
    limit: number,
    wanted: Wanted,
  ): Promise<Page> {
    const mailbox = this.#relay.state.mailbox(name);
    const { clock, settings, epoch, router } = this.#relay;
    const found = this.#relay.peers.has(name) ? mailbox.waitingDeferred() : mailbox.waitingAll();
    const deliveries = (wanted === undefined ? [] : [...found].filter(wanted))
      .filter((delivery) => !router.overdue(delivery))
      .slice(0, limit);
    const messages = deliveries.map((delivery) => ({ delivery, repeated: delivery.repeated(epoch) }));
    for (const delivery of deliveries) {
      mailbox.remove(delivery);
      delivery.state = 'claimed';
    }
    const own = deliveries[0]?.id ?? since;
    if (deliveries.length > 0 || confirmed) {
      await this.#claim(name, own, deliveries, clock.now() + settings.claimMs);
    }
    return { messages, hasMore: this.#available(name, wanted) };
  }

  /** While a connection serves the name, only what it gave back is for polls. */
  #available(name: string, wanted: Wanted = () => true): boolean {
    const mailbox = this.#relay.state.findMailbox(name);
    if (mailbox === undefined) return false;
    const given = (delivery: Delivery) => !this.#relay.router.overdue(delivery) && wanted(delivery);
    return mailbox.someDeferred(given) || (!this.#relay.peers.has(name) && mailbox.someReady(given));
  }

  #take(name: string, limit: number): Delivery[] {
    const mailbox = this.#relay.state.mailbox(name);
    const connected = this.#relay.peers.has(name);
    const taken: Delivery[] = [];
    while (taken.length < limit) {
      const delivery = mailbox.takeDeferred() ?? (connected ? undefined : mailbox.take());
      if (delivery === undefined) break;
      if (this.#relay.router.expired(delivery)) continue;
      delivery.state = 'claimed';
      taken.push(delivery);
    }
    return taken;
  }
}

const isOpen = (delivery: Delivery): boolean => delivery.state === 'claimed';
