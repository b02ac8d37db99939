/** opencode's state: its server's events where we have them, confirmed by the screen. real-agents.md §4. */
import type { Log } from '../base/log.ts';
import type { AgentState, ScreenView, StateReader } from './adapter.ts';
import { opencodeAsks, opencodeInputBox, opencodeWorks } from './opencode-screen.ts';
import { OscReader } from './osc.ts';
import { StateValue } from './state-value.ts';

export class OpencodeState implements StateReader {
  /** The agent named in the input box; undefined while no box is drawn. */
  agent: string | undefined;
  /** The title opencode gave the terminal: `OC | ` and the session it shows, or `OpenCode`. */
  title: string | undefined;
  readonly #value: StateValue;
  readonly #osc = new OscReader();
  /** What the server tells; undefined while it is not connected. */
  #signal: AgentState | undefined;
  #drawn = false;
  #asks = false;
  #works = false;

  constructor(log: Log) {
    this.#value = new StateValue(log);
  }

  get state(): AgentState {
    return this.#value.state;
  }

  onChange(listener: (state: AgentState) => void): void {
    this.#value.onChange(listener);
  }

  output(chunk: Buffer): void {
    this.#osc.push(chunk, (osc) => {
      if (osc.code === 0 || osc.code === 2) this.title = osc.data;
    });
  }

  screen(view: ScreenView): void {
    const rows = view.rows();
    this.#asks = opencodeAsks(rows);
    this.#works = opencodeWorks(rows);
    this.agent = opencodeInputBox(view)?.agent;
    this.#drawn ||= this.agent !== undefined;
    this.#judge('screen');
  }

  /** What the server's events say; undefined once they stop. */
  signal(state: Extract<AgentState, 'ready' | 'busy' | 'dialog'> | undefined): void {
    this.#signal = state;
    this.#judge('events');
  }

  #judge(by: string): void {
    if (!this.#drawn) return;
    if (this.#asks || this.#signal === 'dialog') this.#value.set('dialog', by);
    else if (this.#signal === 'busy' || this.#works) this.#value.set('busy', by);
    else if (this.#signal === 'ready' || this.agent !== undefined) this.#value.set('ready', by);
    else this.#value.set('unknown', by);
  }
}
