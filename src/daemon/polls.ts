/**
 * Polling, for agents without a connection: what is handed out is claimed, and confirmed by the next
 * poll's `since`. docs/protocol.md §Polling (P27).
 */
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

export class Polls {
  readonly #relay: Relay;
  readonly #waiting = new Map<string, Set<() => void>>();

  constructor(relay: Relay) {
    this.#relay = relay;
  }

  /** Confirms the answer that held `since`, then hands out up to `limit` messages, once that is stored. */
  async page(name: string, since: string | null, limit: number): Promise<Page> {
    const { state, journal, clock, settings } = this.#relay;
    const mailbox = state.mailbox(name);
    if (since !== null) this.#confirm(name, since);
    const pending = mailbox.claims.find((claim) => claim.since === since && claim.deliveries.some(isOpen));
    if (pending !== undefined) {
      const open = pending.deliveries.filter(isOpen);
      const messages = open.slice(0, limit).map((delivery) => ({ delivery, repeated: true }));
      return { messages, hasMore: open.length > limit || this.#available(name) };
    }
    const messages = this.#take(name, limit).map((delivery) => ({
      delivery,
      repeated: delivery.repeated(this.#relay.epoch),
    }));
    if (messages.length > 0) {
      const seqs = messages.map(({ delivery }) => delivery.seq);
      await journal.committed({ t: 'claim', name, since, seqs, until: clock.now() + settings.claimMs });
    }
    return { messages, hasMore: this.#available(name) };
  }

  /** Resolves when something may wait for the name, when `ms` have passed, or when the caller gave up. */
  wait(name: string, ms: number, signal: AbortSignal): Promise<void> {
    if (this.#available(name) || signal.aborted) return Promise.resolve();
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

  /** The daemon leaves: nobody is kept waiting. */
  wakeAll(): void {
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

  #confirm(name: string, since: string): void {
    const mailbox = this.#relay.state.mailbox(name);
    const at = mailbox.claims.findIndex(({ deliveries }) => deliveries.some(({ id }) => id === since));
    const [claim] = at === -1 ? [] : mailbox.claims.splice(at, 1);
    for (const delivery of claim?.deliveries ?? []) this.#relay.router.delivered(delivery);
  }

  /** While a connection serves the name, only what it gave back is for polls. */
  #available(name: string): boolean {
    const mailbox = this.#relay.state.findMailbox(name);
    if (mailbox === undefined) return false;
    return mailbox.deferredCount > 0 || (!this.#relay.peers.has(name) && mailbox.ready);
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
