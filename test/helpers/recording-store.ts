/** What a durable store does, without a disk: the records of one reign are there for the next. */
import type { Store } from '../../src/daemon/store/store.ts';

export class RecordingStore implements Store {
  readonly durable = true;
  readonly format = 1;
  readonly #records: Buffer[];

  constructor(records: Buffer[] = []) {
    this.#records = records;
  }

  /** The store of the next leader, as if this one had been killed now. */
  successor(): RecordingStore {
    return new RecordingStore([...this.#records]);
  }

  async *recover(): AsyncIterable<Buffer> {
    yield* [...this.#records];
  }

  append(record: Buffer, done: () => void): void {
    this.#records.push(record);
    queueMicrotask(() => done());
  }

  readonly figures = { segments: 1, bytes: 0, oldest: undefined };
  async compact(): Promise<void> {}
  async close(): Promise<void> {}
}
