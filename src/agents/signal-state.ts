/**
 * The state of an agent that tells it itself: by OSC 7501, or by its title where it does not know that;
 * confirmed by its screen. real-agents.md §4.
 */
import type { Log } from '../base/log.ts';
import type { AgentState, InputBox, ScreenView, StateReader } from './adapter.ts';
import { type Osc, OscReader } from './osc.ts';
import { parseStatus, STATUS_ANSWER } from './program-status.ts';
import { StateValue } from './state-value.ts';

/** What only the adapter knows of its agent. */
export interface Signs {
  /** The state that a window title tells, if it tells one. */
  title(text: string): AgentState | undefined;
  /** A question stands on the screen that a key would answer. */
  asks(view: ScreenView): boolean;
  inputBox(view: ScreenView): InputBox | undefined;
}

export class SignalState implements StateReader {
  readonly #value: StateValue;
  readonly #signs: Signs;
  readonly #osc = new OscReader();
  /** The newest word of the agent itself. */
  #signal: AgentState | undefined;
  /** It speaks OSC 7501: then its title is not asked any more. */
  #speaks = false;
  /** The screen showed an input box since the start: before it, `idle` may stand behind a question. */
  #drawn = false;
  #asks = false;

  constructor(signs: Signs, log: Log) {
    this.#signs = signs;
    this.#value = new StateValue(log);
  }

  get state(): AgentState {
    return this.#value.state;
  }

  onChange(listener: (state: AgentState) => void): void {
    this.#value.onChange(listener);
  }

  output(chunk: Buffer, reply: (bytes: Buffer) => void): void {
    this.#osc.push(chunk, (osc) => {
      const status = parseStatus(osc);
      if (status === 'query') {
        // In the same breath as the query, so before the terminal answers the DA1 that ends the round.
        reply(STATUS_ANSWER);
        return;
      }
      this.#speaks ||= status !== undefined;
      const signal = status ?? (this.#speaks ? undefined : this.#title(osc));
      if (signal === undefined) return;
      this.#signal = signal;
      this.#judge(status === undefined ? 'title' : 'osc7501');
    });
  }

  screen(view: ScreenView): void {
    this.#asks = this.#signs.asks(view);
    this.#drawn ||= this.#signs.inputBox(view) !== undefined;
    this.#judge('screen');
  }

  #title({ code, data }: Osc): AgentState | undefined {
    return code === 0 || code === 2 ? this.#signs.title(data) : undefined;
  }

  #judge(by: string): void {
    if (this.#asks || this.#signal === 'dialog') this.#value.set('dialog', by);
    else if (this.#signal === 'busy') this.#value.set('busy', by);
    else if (this.#signal === 'ready' && this.#drawn) this.#value.set('ready', by);
    else this.#value.set('starting', by);
  }
}
