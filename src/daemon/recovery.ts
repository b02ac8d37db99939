/**
 * Reading what earlier reigns left, before the first WELCOME. Who says HELLO meanwhile is told BUSY, so
 * that nobody deposes a leader that only reads (P20). docs/protocol.md §Daemon.
 */
import type { Clock, Timer } from '../base/clock.ts';
import { type Envelope, newEnvelope } from '../protocol/envelope.ts';
import { RECOVERING_BUSY_MS } from '../protocol/limits.ts';
import type { Peer } from './peer.ts';
import { decodeRecord } from './record.ts';
import type { RelayState } from './state.ts';
import type { Store } from './store/store.ts';

/**
 * Milliseconds of folding before others have their turn: the person's keys, and those who ask whether we
 * live. On a busy machine they would wait many times as long, and depose one leader after the other.
 */
const SLICE_MS = 5;

export class Recovery {
  readonly #clock: Clock;
  readonly #postponed: { peer: Peer; envelope: Envelope }[] = [];
  #state: 'running' | 'done' = 'running';
  #busy: Timer | undefined;
  #finished: () => void = () => {};
  /** Resolves when the state is rebuilt. */
  readonly done: Promise<void> = new Promise((resolve) => {
    this.#finished = resolve;
  });

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get running(): boolean {
    return this.#state === 'running';
  }

  /**
   * Folds every record of the store, up to `finish()` if that comes first: who was deposed meanwhile must
   * not keep the processor from its successor. Rejects with what the store or a record says.
   */
  async run(store: Store, state: RelayState): Promise<number> {
    let records = 0;
    let began = this.#clock.monotonic();
    for await (const bytes of store.recover()) {
      if (!this.running) break;
      state.recover(decodeRecord(bytes));
      records++;
      if (this.#clock.monotonic() - began < SLICE_MS) continue;
      await new Promise<void>((resolve) => void this.#clock.after(0, resolve));
      began = this.#clock.monotonic();
    }
    return records;
  }

  /** Keeps a frame for later, and says BUSY. */
  postpone(peer: Peer, envelope: Envelope): void {
    if (!this.#postponed.some((each) => each.peer === peer)) {
      peer.reading.hush(true);
      this.#sayBusy(peer);
    }
    this.#postponed.push({ peer, envelope });
    this.#busy ??= this.#clock.every(RECOVERING_BUSY_MS, () => {
      for (const each of new Set(this.#postponed.map((entry) => entry.peer))) this.#sayBusy(each);
    });
  }

  /** Lets go on what waited, in its order. Twice is fine. */
  finish(): void {
    if (this.#state === 'done') return;
    this.#state = 'done';
    this.#busy?.cancel();
    for (const peer of new Set(this.#postponed.map((entry) => entry.peer))) peer.reading.hush(false);
    // As if it came only now: what follows a HELLO waits for its WELCOME, which is yet to be stored.
    for (const { peer, envelope } of this.#postponed) peer.receive(envelope);
    this.#postponed.length = 0;
    this.#finished();
  }

  #sayBusy(peer: Peer): void {
    const payload = { retry_after_ms: RECOVERING_BUSY_MS, queue_depth: 0 };
    peer.send(newEnvelope('BUSY', payload, this.#clock.now()));
  }
}
