/**
 * Zeros written and synced ahead of the records. A small group then changes neither the length of its file
 * nor its blocks, so its sync writes it and nothing else: half the time of one that also commits the file
 * system's journal, and no wait for what others have in there. docs/store.md "Spare".
 */
import { isFull } from './disk-error.ts';
import { writeAll } from './files.ts';
import type { Segment } from './segment.ts';

export class Spare {
  readonly #most: number;
  /** The segment for whose spare there was no room. */
  #refused: Segment | undefined;

  /** @param most bytes written ahead at once, at most; 0: none. */
  constructor(most: number) {
    this.#most = most;
  }

  /**
   * Sees to it that the next small group finds room, after one of `groupBytes` was written. Larger ones are
   * better off without: they would be written twice. True if the segment is longer now, and not synced.
   */
  async reserve(segment: Segment, groupBytes = 0): Promise<boolean> {
    const small = this.#most / 8;
    if (segment.length - segment.end >= small || groupBytes > small || this.#refused === segment)
      return false;
    const bytes = Math.min(this.#most, Math.max(2 * small, segment.end));
    if (bytes === 0) return false;
    try {
      await writeAll(segment.file, Buffer.alloc(bytes), segment.length);
    } catch (error) {
      if (!isFull(error)) throw error;
      // The last bytes of the disk are for those who have something to write.
      this.#refused = segment;
      await segment.file.truncate(segment.end);
      segment.length = segment.end;
      return false;
    }
    segment.length += bytes;
    return true;
  }

  /** Gives back what was never used. */
  async release(segment: Segment): Promise<void> {
    if (segment.length === segment.end) return;
    await segment.file.truncate(segment.end);
    segment.length = segment.end;
  }
}
