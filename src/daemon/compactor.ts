/**
 * When the store is replaced by a snapshot of the state: when more of it is dead than alive, and once a
 * day, so that what has ended does not lie there for ever. docs/store.md "Compaction".
 */
import { RelayError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { COMPACT_AGE_MS, COMPACT_DEAD_BYTES, COMPACT_RETRY_MS } from '../protocol/limits.ts';
import { snapshot } from './snapshot.ts';
import type { RelayState } from './state.ts';
import type { Store } from './store/store.ts';

export class Compactor {
  readonly #store: Store;
  readonly #state: RelayState;
  readonly #log: Log;
  #running = false;
  /** Bytes right after the last compaction: no estimate is better than that. */
  #leastBytes = 0;
  /** Wall clock, ms: not before, because the last one failed. */
  #notBefore = 0;

  constructor(store: Store, state: RelayState, log: Log) {
    this.#store = store;
    this.#state = state;
    this.#log = log;
  }

  /** Starts a compaction if it is worth one. `now` is the wall clock, ms. */
  look(now: number): void {
    if (this.#running || now < this.#notBefore || !this.#pays(now)) return;
    this.#running = true;
    void this.#compact(now);
  }

  #pays(now: number): boolean {
    const { bytes, oldest } = this.#store.figures;
    if (oldest === undefined) return false;
    const live = Math.max(this.#state.liveBytes, this.#leastBytes);
    if (bytes - live > Math.max(live, COMPACT_DEAD_BYTES)) return true;
    return now - oldest > COMPACT_AGE_MS;
  }

  async #compact(now: number): Promise<void> {
    const before = this.#store.figures.bytes;
    try {
      await this.#store.compact(() => snapshot(this.#state));
      this.#leastBytes = this.#store.figures.bytes;
      this.#log.info('store.compacted', { before, after: this.#leastBytes });
    } catch (thrown) {
      const { code, message } = RelayError.from(thrown);
      this.#notBefore = now + COMPACT_RETRY_MS;
      this.#log.warn('store.compaction-failed', { code, message });
    } finally {
      this.#running = false;
    }
  }
}
