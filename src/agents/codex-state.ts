/** Codex's state: OSC 7501 unasked, its title as a second, the screen for what neither tells. */
import type { Log } from '../base/log.ts';
import type { AgentState, ScreenView, StateReader } from './adapter.ts';
import { codexAsks, codexInputBox } from './codex-screen.ts';
import { type Osc, OscReader } from './osc.ts';
import { parseStatus } from './program-status.ts';
import { StateValue } from './state-value.ts';

/** Codex turns a braille wheel before its title while it works, and says when it asks. */
function parseTitle(osc: Osc): AgentState | undefined {
  if (osc.code !== 0 && osc.code !== 2) return undefined;
  if (/^\[ [!.] \] Action Required/.test(osc.data)) return 'dialog';
  return /^[\u2801-\u28ff] /.test(osc.data) ? 'busy' : 'ready';
}

export class CodexState implements StateReader {
  readonly #value: StateValue;
  readonly #osc = new OscReader();
  /** The newest word of the agent itself. */
  #signal: AgentState | undefined;
  /** It speaks OSC 7501: then its title is not asked any more. */
  #speaks = false;
  /** The screen showed a composer since the start: before it, `idle` may stand behind a question. */
  #drawn = false;
  #asks = false;

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
      const status = parseStatus(osc);
      if (status !== undefined && status !== 'query') {
        this.#speaks = true;
        this.#signal = status;
        this.#judge('osc7501');
        return;
      }
      const title = parseTitle(osc);
      if (title === undefined || this.#speaks) return;
      this.#signal = title;
      this.#judge('title');
    });
  }

  screen(view: ScreenView): void {
    this.#asks = codexAsks(view.rows());
    this.#drawn ||= codexInputBox(view) !== undefined;
    this.#judge('screen');
  }

  #judge(by: string): void {
    if (this.#asks || this.#signal === 'dialog') this.#value.set('dialog', by);
    else if (this.#signal === 'busy') this.#value.set('busy', by);
    else if (this.#signal === 'ready' && this.#drawn) this.#value.set('ready', by);
    else this.#value.set('starting', by);
  }
}
