/** Positions in memory; `crash` freezes them as a killed wrapper leaves them behind. */
import type { Begun, Kept, Positions } from '../../src/agents/positions.ts';

export class MemoryPositions implements Positions {
  readonly live = new Map<string, { offset: number; begun: readonly Begun[] }>();
  readonly #kept = new Map<string, Kept>();

  get(file: string): Kept | undefined {
    return this.#kept.get(file);
  }

  set(file: string, offset: number, begun: readonly Begun[] = []): void {
    this.live.set(file, { offset, begun });
  }

  /** The wrapper dies; what comes after `until` was not said to it. */
  crash(until: number): void {
    for (const [file, position] of this.live) this.#kept.set(file, { ...position, until });
    this.live.clear();
  }
}
