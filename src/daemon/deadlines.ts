/** Things that fall due: a binary heap by time. Entries are not removed early; who takes one looks again. */

interface Entry<T> {
  due: number;
  value: T;
}

export class Deadlines<T> {
  readonly #heap: Entry<T>[] = [];

  get size(): number {
    return this.#heap.length;
  }

  add(due: number, value: T): void {
    const heap = this.#heap;
    let i = heap.push({ due, value }) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if ((heap[parent] as Entry<T>).due <= due) break;
      this.#swap(i, parent);
      i = parent;
    }
  }

  /** Takes out everything due at `now`, the earliest first. */
  *due(now: number): Generator<T, void> {
    const heap = this.#heap;
    for (let first = heap[0]; first !== undefined && first.due <= now; first = heap[0]) {
      const last = heap.pop() as Entry<T>;
      if (heap.length > 0) {
        heap[0] = last;
        this.#sink();
      }
      yield first.value;
    }
  }

  /** Drops what `keep` refuses: the owner calls it when far more is here than lives. */
  prune(keep: (value: T) => boolean): void {
    const kept = this.#heap.filter(({ value }) => keep(value));
    this.#heap.length = 0;
    for (const { due, value } of kept) this.add(due, value);
  }

  #sink(): void {
    const heap = this.#heap;
    let i = 0;
    for (;;) {
      const left = 2 * i + 1;
      if (left >= heap.length) return;
      const right = left + 1;
      const least =
        right < heap.length && (heap[right] as Entry<T>).due < (heap[left] as Entry<T>).due ? right : left;
      if ((heap[i] as Entry<T>).due <= (heap[least] as Entry<T>).due) return;
      this.#swap(i, least);
      i = least;
    }
  }

  #swap(a: number, b: number): void {
    const entry = this.#heap[a] as Entry<T>;
    this.#heap[a] = this.#heap[b] as Entry<T>;
    this.#heap[b] = entry;
  }
}
