/** Every segment of the store, for the figures: begun when, how long. */
import type { Segment } from './segment.ts';
import type { StoreFigures } from './store.ts';

export class SegmentSizes {
  readonly #segments = new Map<string, { created: number; bytes: number }>();

  get figures(): StoreFigures {
    let bytes = 0;
    let oldest: number | undefined;
    for (const segment of this.#segments.values()) {
      bytes += segment.bytes;
      oldest = Math.min(oldest ?? segment.created, segment.created);
    }
    return { segments: this.#segments.size, bytes, oldest };
  }

  /** A segment as it is now. */
  note({ name, header, end }: Pick<Segment, 'name' | 'header' | 'end'>): void {
    this.#segments.set(name, { created: header.created, bytes: end });
  }

  drop(name: string): void {
    this.#segments.delete(name);
  }
}
