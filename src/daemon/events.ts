/** What happens in the relay, for those who watch: `/events` and logs. Never bodies, never tokens (P22). */

export type RelayEvent =
  | { type: 'session'; agent: string; state: string; at: number; reason?: string }
  | { type: 'message'; id: string; from: string; to: string; topic?: string; at: number; size: number }
  | {
      type: 'fate';
      id: string;
      from: string;
      to: string;
      fate: 'delivered' | 'written' | 'dead' | 'deferred' | 'held' | 'released' | 'claimed';
      code?: string;
      at: number;
    };

export class Events {
  readonly #listeners = new Set<(event: RelayEvent) => void>();

  emit(event: RelayEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  get watched(): boolean {
    return this.#listeners.size > 0;
  }

  /** Returns the way to stop. */
  watch(listener: (event: RelayEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}
