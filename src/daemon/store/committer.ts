/**
 * Commits group after group, one at a time, and answers each append in its order: a few in each turn of
 * the event loop, which a person's terminal may share. docs/store.md "Durability".
 */
import type { RelayError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { AppendQueue, Pending } from './append-queue.ts';

/** Answers given in one turn: half a millisecond of a daemon's work. */
const ANSWERS_A_TURN = 32;

export interface CommitterOptions {
  /** Runs `fn` in the next turn, after the events at hand. */
  soon: (fn: () => void) => void;
  log: Log;
  /** Writes a group; resolves with undefined once it is promised, else with the error for all of it. */
  commit(group: readonly Pending[]): Promise<RelayError | undefined>;
  /** Asked in each later turn before it says anything (P20): the error once we lead no more. */
  leadsStill(): Promise<RelayError | undefined>;
  /** Called between two groups, before and after each: to be done by the time it resolves. */
  between(): Promise<void>;
}

export class Committer {
  readonly #queue: AppendQueue;
  readonly #options: CommitterOptions;
  /** The loop runs, or is about to. */
  #working = false;
  #wanted = false;
  #idle: (() => void)[] = [];

  constructor(queue: AppendQueue, options: CommitterOptions) {
    this.#queue = queue;
    this.#options = options;
  }

  /** A group is due, or `between` has something to do. */
  wake(): void {
    this.#wanted = true;
    if (this.#working) return;
    this.#working = true;
    this.#options.soon(() => void this.#work());
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    if (this.#working) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  async #work(): Promise<void> {
    while (this.#wanted || this.#queue.due) {
      this.#wanted = false;
      await this.#options.between();
      const group = this.#queue.take();
      if (group.length > 0) await this.#settle(group);
      // Whoever became readable meanwhile joins the next group, and nobody else starves.
      await this.#nextTurn();
    }
    this.#working = false;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  async #settle(group: Pending[]): Promise<void> {
    let error = await this.#options.commit(group);
    // What came after it may not overtake it, however small it is (P15).
    if (error?.code === 'STORE_FULL') group.push(...this.#queue.takeAll());
    for (let n = 0; n < group.length; n += 1) {
      if (n > 0 && n % ANSWERS_A_TURN === 0) {
        await this.#nextTurn();
        error ??= await this.#options.leadsStill();
      }
      this.#answer((group[n] as Pending).done, error);
    }
    this.#queue.answered(group.length);
    await this.#options.between();
  }

  #answer(done: Pending['done'], error: RelayError | undefined): void {
    try {
      if (error === undefined) done();
      else done(error);
    } catch (thrown) {
      this.#options.log.error('store_done_threw', { error: thrown });
    }
  }

  #nextTurn(): Promise<void> {
    return new Promise((resolve) => this.#options.soon(resolve));
  }
}
