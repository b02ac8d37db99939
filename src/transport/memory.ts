/** Two links joined in memory: the hosting wrapper's own client needs no socket, nor do tests. */
import type { Link, LinkHandlers } from './link.ts';

class MemoryLink implements Link {
  other: MemoryLink | undefined;
  #state: 'new' | 'flowing' | 'paused' | 'closed' = 'new';
  #handlers: LinkHandlers | undefined;
  /** Sent to us and not read yet. `null` is the end. */
  #incoming: (Buffer | null)[] = [];
  #incomingBytes = 0;
  #scheduled = false;

  start(handlers: LinkHandlers): void {
    this.#handlers = handlers;
    if (this.#state === 'new') this.#state = 'flowing';
    this.#schedule();
  }

  get bufferedBytes(): number {
    return this.other === undefined ? 0 : this.other.#incomingBytes;
  }

  write(bytes: Buffer): void {
    if (this.#state === 'closed' || this.other === undefined) return;
    this.other.#incoming.push(bytes);
    this.other.#incomingBytes += bytes.length;
    this.other.#schedule();
  }

  pause(): void {
    if (this.#state !== 'closed') this.#state = 'paused';
  }

  resume(): void {
    if (this.#state === 'paused') this.#state = 'flowing';
    this.#schedule();
  }

  end(): void {
    if (this.#state === 'closed') return;
    const other = this.other;
    if (other !== undefined) {
      other.#incoming.push(null);
      other.#schedule();
    }
    this.#close();
  }

  destroy(): void {
    this.end();
  }

  #schedule(): void {
    if (this.#scheduled || this.#state !== 'flowing' || this.#incoming.length === 0) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#deliver();
    });
  }

  #deliver(): void {
    while (this.#state === 'flowing' && this.#incoming.length > 0) {
      const bytes = this.#incoming.shift() as Buffer | null;
      if (bytes === null) {
        this.#close();
        return;
      }
      this.#incomingBytes -= bytes.length;
      this.#handlers?.data(bytes);
    }
    if (this.#incoming.length === 0 && this.other !== undefined) this.other.#drained();
  }

  #drained(): void {
    if (this.#state !== 'closed') this.#handlers?.drain();
  }

  #close(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#incoming = [];
    this.#incomingBytes = 0;
    queueMicrotask(() => this.#handlers?.closed());
  }
}

/** A pair of links: what one writes the other reads, later in the same turn of the event loop. */
export function memoryLinks(): [Link, Link] {
  const left = new MemoryLink();
  const right = new MemoryLink();
  left.other = right;
  right.other = left;
  return [left, right];
}
