/** A first-in first-out list that stays fast however long it is: a Map or array that loses its oldest does not. */

/** Taken elements before their places are given back. */
const SPARE = 1_024;

export class Queue<T> {
  #items: (T | undefined)[] = [];
  /** Index of the oldest. */
  #head = 0;
  /** Elements whose places were given back: what #items[0] is counted from. */
  #before = 0;

  get length(): number {
    return this.#items.length - this.#head;
  }

  /** The oldest. */
  get first(): T | undefined {
    return this.#items[this.#head];
  }

  push(item: T): void {
    this.#items.push(item);
  }

  /** Takes out the oldest. */
  shift(): T | undefined {
    const first = this.#items[this.#head];
    if (this.#head === this.#items.length) return undefined;
    this.#items[this.#head++] = undefined;
    if (this.#head >= SPARE && this.#head * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#before += this.#head;
      this.#head = 0;
    }
    return first;
  }

  /** The oldest first; what is taken out or comes meanwhile is left out or given. */
  *[Symbol.iterator](): Generator<T, void> {
    for (let at = this.#before + this.#head; ; at++) {
      at = Math.max(at, this.#before + this.#head);
      const index = at - this.#before;
      if (index >= this.#items.length) return;
      yield this.#items[index] as T;
    }
  }
}
