/** The relay's store in a run: keeps nothing, and tells of each record once it is promised. So a run sees every message whole. */
import type { RelayError } from '../base/errors.ts';
import { decodeRecord, type RelayRecord } from '../daemon/record.ts';
import { MemoryStore } from '../daemon/store/memory-store.ts';
import type { Fence } from '../daemon/store/store.ts';

export class TappedStore extends MemoryStore {
  readonly #tell: (record: RelayRecord) => void;

  /** @param tell must not throw. */
  constructor(fence: Fence, tell: (record: RelayRecord) => void) {
    super(fence);
    this.#tell = tell;
  }

  override append(record: Buffer, done: (error?: RelayError) => void): void {
    super.append(record, (error) => {
      if (error === undefined) this.#tell(decodeRecord(record));
      done(error);
    });
  }
}
