/** Shows how the agents of a round are, again and again; never asks for it while an answer is on its way. */
import type { Log } from '../base/log.ts';
import type { WatchedAgent } from '../watch/model.ts';

export interface DisplayOptions {
  /** How they are now; may fail. */
  rows(): Promise<readonly WatchedAgent[]>;
  show(agents: readonly WatchedAgent[]): void;
  log: Log;
}

export class Display {
  readonly #options: DisplayOptions;
  #state: 'current' | 'asking' = 'current';

  constructor(options: DisplayOptions) {
    this.#options = options;
  }

  /** Shows how they are as soon as that is known. What cannot be known is not shown. */
  async refresh(): Promise<void> {
    if (this.#state === 'asking') return;
    this.#state = 'asking';
    const { rows, show, log } = this.#options;
    try {
      show(await rows());
    } catch (error) {
      log.warn('run.agents-unknown', { error });
    }
    this.#state = 'current';
  }
}
