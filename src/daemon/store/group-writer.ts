/** Writes groups at the end of a segment and takes back what found no room. docs/store.md "Durability". */
import { RelayError } from '../../base/errors.ts';
import { asStoreError, isFull, storeFailure } from './disk-error.ts';
import { writeAll } from './files.ts';
import { encodeRecords, GROUP_START } from './record.ts';
import type { Durability, Segment } from './segment.ts';
import type { Spare } from './spare.ts';

export class GroupWriter {
  readonly #durability: Durability;
  readonly #spare: Spare;
  readonly #passFence: () => Promise<void>;
  #lastBytes = 0;

  /** @param passFence throws DEPOSED. */
  constructor(durability: Durability, spare: Spare, passFence: () => Promise<void>) {
    this.#durability = durability;
    this.#spare = spare;
    this.#passFence = passFence;
  }

  /**
   * Writes one group; once this resolves, all of it may be promised. Throws STORE_FULL when nothing of it
   * is left and a later group may fit; after DEPOSED and STORE_FAILED nothing may be written any more.
   */
  async write(segment: Segment, records: readonly Buffer[]): Promise<void> {
    const bytes = encodeRecords(records, segment.header.marker, GROUP_START);
    let full: unknown;
    try {
      await writeAll(segment.file, bytes, segment.end).catch((error: unknown) => {
        if (!isFull(error)) throw error;
        full = error;
      });
      if (full !== undefined) await this.#undo(segment);
      else if (this.#durability === 'sync') await segment.file.sync();
      // Somebody swept or moved the store: what is written here, nobody will find.
      if (!segment.file.isAt(segment.name)) {
        throw new RelayError('STORE_FAILED', `${segment.name} was removed or moved away`);
      }
      await this.#passFence();
    } catch (error) {
      throw storeFailure(error);
    }
    if (full !== undefined) throw asStoreError(full);
    segment.end += bytes.length;
    segment.length = Math.max(segment.length, segment.end);
    this.#lastBytes = bytes.length;
  }

  /** Makes room for the next group, while nobody waits. Throws STORE_FAILED. */
  async makeRoom(segment: Segment): Promise<void> {
    try {
      if (await this.#spare.reserve(segment, this.#lastBytes)) await segment.file.sync();
    } catch (error) {
      throw storeFailure(error);
    }
  }

  /**
   * Takes back what a full disk let us write of a group, so that a record that was refused never comes
   * back. A successor that reads here meanwhile has no use for it: it writes our last group anew (P20).
   */
  async #undo(segment: Segment): Promise<void> {
    await segment.file.truncate(segment.end);
    segment.length = segment.end;
    await segment.file.sync();
  }
}
