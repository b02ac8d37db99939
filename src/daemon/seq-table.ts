/**
 * Deliveries by their seq (P11). Seqs are given in a row, so pages of an array take the place of a Map whose
 * keys would each be a number in memory of its own. Pure.
 */
import type { Delivery } from './message.ts';

const PAGE = 1_024;

interface Page {
  readonly number: number;
  readonly items: (Delivery | undefined)[];
  count: number;
}

export class SeqTable {
  readonly #pages = new Map<number, Page>();
  /** The page that was asked for last: the next one is likely the same. */
  #recent: Page | undefined;

  get(seq: number): Delivery | undefined {
    const page = this.#page(seq);
    return page?.items[seq - page.number * PAGE];
  }

  set(delivery: Delivery): void {
    const { seq } = delivery;
    const number = Math.floor(seq / PAGE);
    let page = this.#page(seq);
    if (page === undefined) {
      page = { number, items: [], count: 0 };
      this.#pages.set(number, page);
      this.#recent = page;
    }
    const at = seq - number * PAGE;
    // Filled from its start, an array has no holes.
    while (page.items.length < at) page.items.push(undefined);
    if (page.items[at] === undefined) page.count++;
    page.items[at] = delivery;
  }

  delete(seq: number): void {
    const page = this.#page(seq);
    const at = page === undefined ? -1 : seq - page.number * PAGE;
    if (page?.items[at] === undefined) return;
    page.items[at] = undefined;
    if (--page.count > 0) return;
    this.#pages.delete(page.number);
    this.#recent = undefined;
  }

  #page(seq: number): Page | undefined {
    const number = Math.floor(seq / PAGE);
    if (this.#recent?.number === number) return this.#recent;
    const page = this.#pages.get(number);
    if (page !== undefined) this.#recent = page;
    return page;
  }
}
