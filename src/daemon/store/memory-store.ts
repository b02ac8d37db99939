/**
 * A store that keeps nothing: what was done dies with this process, so the daemon never says `stored`
 * (P12). It still groups the appends of one turn and asks the fence once for each group (P20).
 */
import { systemClock } from '../../base/clock.ts';
import { RelayError } from '../../base/errors.ts';
import { patiently } from './patience.ts';
import type { Fence, Store } from './store.ts';

type Done = (error?: RelayError) => void;

export class MemoryStore implements Store {
  readonly durable = false;
  readonly format = 0;
  readonly figures = { segments: 0, bytes: 0, oldest: undefined };
  readonly #fence: Fence;
  #group: Done[] = [];
  #failed: RelayError | undefined;
  #closing = false;
  #flushed: Promise<void> = Promise.resolve();

  constructor(fence: Fence) {
    this.#fence = fence;
  }

  async *recover(): AsyncIterable<Buffer> {}

  append(_record: Buffer, done: Done): void {
    this.#group.push(done);
    if (this.#group.length === 1) this.#flushed = this.#flushed.then(() => this.#flush());
  }

  async compact(): Promise<void> {}

  async close(): Promise<void> {
    this.#closing = true;
    await this.#flushed;
    this.#failed ??= new RelayError('SHUTTING_DOWN', 'the store is closed');
  }

  async #flush(): Promise<void> {
    const group = this.#group;
    this.#group = [];
    try {
      if (this.#failed === undefined) await this.#pass();
    } catch (error) {
      // Deposed once is deposed for ever: nothing may pass after it.
      this.#failed = RelayError.from(error);
    }
    for (const done of group) done(this.#failed);
  }

  #pass(): Promise<void> {
    return patiently(
      systemClock,
      () => this.#closing,
      () => this.#fence.check(),
    );
  }
}
