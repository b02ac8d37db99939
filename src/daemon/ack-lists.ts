/**
 * The SENDs of one connection that are answered in one turn, by what they are told: one frame for all that
 * share it, where both sides declared `ack_lists`. docs/protocol.md §8 (P23). Pure.
 */

/** A SEND is `stored` before it is anything else. */
const STAGES = ['stored', 'delivered', 'written'] as const;

export type ListedStage = (typeof STAGES)[number];

/** Ids of one frame: 128 KiB of the longest, so that it always fits. */
const MAX_IDS = 1_000;

export class AckLists {
  readonly #ids: Record<ListedStage, string[]> = { stored: [], delivered: [], written: [] };

  /** True when there is enough for a frame. */
  add(stage: ListedStage, id: string): boolean {
    return this.#ids[stage].push(id) >= MAX_IDS;
  }

  get empty(): boolean {
    const { stored, delivered, written } = this.#ids;
    return stored.length + delivered.length + written.length === 0;
  }

  /** Takes out all of them. */
  *take(): Generator<{ stage: ListedStage; ids: string[] }, void> {
    for (const stage of STAGES) {
      const ids = this.#ids[stage];
      if (ids.length === 0) continue;
      this.#ids[stage] = [];
      yield { stage, ids };
    }
  }
}
