/** What was typed into the agent, so that its echo is not taken for speech. Issue 3, the screen source. */
import { strip } from '../base/strip.ts';

/** Lines remembered; a paste longer than that is not shown whole by any agent. */
const MAX_LINES = 1000;

/** Only what would be a directive is worth remembering: the list is nearly always empty, and free. */
const DIRECTIVE = />>(?:relay|thinking):|\[\[RELAY\]\]/;

/**
 * A terminal echoes each line once; a TUI may show it again and again, in its input box and in the
 * conversation, and there a line that was typed is never speech (`redrawn`).
 */
export class TypedLines {
  readonly #redrawn: boolean;
  readonly #lines: string[] = [];
  #current = '';

  constructor(options: { redrawn: boolean }) {
    this.#redrawn = options.redrawn;
  }

  /** Notes text on its way to the agent, as it is written: keys, pastes, several lines. */
  note(text: string): void {
    const [first = '', ...more] = strip(text.replace(/\r\n?/g, '\n')).split('\n');
    this.#current += first;
    for (const next of more) {
      if (DIRECTIVE.test(this.#current)) this.#lines.push(this.#current.trim());
      this.#current = next;
    }
    this.#lines.splice(0, Math.max(0, this.#lines.length - MAX_LINES));
  }

  /** Whole lines of output, each ended by LF, without those that are the echo of a typed one. */
  withoutEcho(text: string): string {
    if (this.#lines.length === 0) return text;
    return text.replace(/.*\n/g, (line) => (this.#isEcho(line.trim()) ? '' : line));
  }

  #isEcho(line: string): boolean {
    const at = this.#lines.indexOf(line);
    if (at >= 0 && !this.#redrawn) this.#lines.splice(at, 1);
    return at >= 0;
  }
}
