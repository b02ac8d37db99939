/** What happens in the relay, for those who watch: `/events` and logs. Never bodies, never tokens (P22). */
import type { RelayEvent } from '../protocol/relay-event.ts';

export type { RelayEvent };

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
