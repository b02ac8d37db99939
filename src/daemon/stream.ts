/** What waits of one sender's topic for one name, in the order of seq (P11). Pure. */
import type { Delivery } from './message.ts';

export interface StreamView {
  topic: string;
  from: string;
  /** The highest seq ever put into it. */
  lastSeq: number;
  /** The highest seq of what ended because nobody took it as long as it is kept: no replay has it (P8). */
  staleSeq: number;
}

export class Stream implements StreamView {
  readonly topic: string;
  readonly from: string;
  lastSeq = 0;
  staleSeq = 0;
  /** It stands in the round of turns. */
  inTurn = false;
  /** By seq; what lies before #head was taken. */
  #waiting: Delivery[] = [];
  #head = 0;

  constructor(from: string, topic: string) {
    this.from = from;
    this.topic = topic;
  }

  get length(): number {
    return this.#waiting.length - this.#head;
  }

  put(delivery: Delivery): void {
    this.lastSeq = Math.max(this.lastSeq, delivery.seq);
    const waiting = this.#waiting;
    const last = waiting.at(-1);
    if (this.length === 0 || last === undefined || last.seq < delivery.seq) {
      waiting.push(delivery);
    } else if (this.#head > 0 && delivery.seq < (waiting[this.#head] as Delivery).seq) {
      waiting[--this.#head] = delivery;
    } else {
      waiting.splice(this.#place(delivery.seq), 0, delivery);
    }
  }

  *all(): Generator<Delivery, void> {
    for (let i = this.#head; i < this.#waiting.length; i++) yield this.#waiting[i] as Delivery;
  }

  take(): Delivery | undefined {
    const delivery = this.#waiting[this.#head];
    if (delivery === undefined) return undefined;
    this.#head++;
    if (this.length === 0) {
      this.#clear();
    } else if (this.#head > 1024 && this.#head * 2 > this.#waiting.length) {
      this.#waiting.splice(0, this.#head);
      this.#head = 0;
    }
    return delivery;
  }

  remove(delivery: Delivery): boolean {
    const at = this.#place(delivery.seq);
    if (this.#waiting[at] !== delivery) return false;
    this.#waiting.splice(at, 1);
    if (this.length === 0) this.#clear();
    return true;
  }

  /** What was taken is kept for nobody. */
  #clear(): void {
    this.#waiting = [];
    this.#head = 0;
  }

  /** Index of the first that waits with a seq of at least `seq`. */
  #place(seq: number): number {
    let low = this.#head;
    let high = this.#waiting.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#waiting[middle] as Delivery).seq < seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
