/** The state of an agent as one value, changed in one place. */
import type { Log } from '../base/log.ts';
import type { AgentState } from './adapter.ts';

export class StateValue {
  #state: AgentState = 'starting';
  readonly #listeners: ((state: AgentState) => void)[] = [];
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  get state(): AgentState {
    return this.#state;
  }

  /** `by` says which signal it was: for the log. */
  set(state: AgentState, by: string): void {
    if (state === this.#state) return;
    this.#log.debug('agent-state', { from: this.#state, to: state, by });
    this.#state = state;
    for (const listener of this.#listeners) listener(state);
  }

  onChange(listener: (state: AgentState) => void): void {
    this.#listeners.push(listener);
  }
}
