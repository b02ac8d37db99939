/**
 * What we have to say to the person, in the title of their window: no cell of the agent's screen is ours.
 * The title before is kept on the terminal's own stack. xterm ctlseqs, CSI 22;2t.
 */
import { OscReader } from '../agents/osc.ts';
import { sanitizeLine } from '../base/sanitize.ts';

const PUSH = '\x1b[22;2t';
const POP = '\x1b[23;2t';
const setTitle = (text: string): string => `\x1b]2;${sanitizeLine(text)}\x1b\\`;

export class StatusTitle {
  readonly #write: (bytes: Buffer) => void;
  #shown: string | undefined;
  /** What the agent has set meanwhile. */
  #agents: string | undefined;
  #reader = new OscReader();

  /** `write` puts bytes into the person's terminal, between two sequences of the agent. */
  constructor(write: (bytes: Buffer) => void) {
    this.#write = write;
  }

  show(text: string): void {
    if (this.#shown === text) return;
    if (this.#shown === undefined) this.#reader = new OscReader();
    this.#write(Buffer.from((this.#shown === undefined ? PUSH : '') + setTitle(text)));
    this.#shown = text;
  }

  /** The title is the agent's again, also if it has set another one meanwhile. Twice is fine. */
  hide(): void {
    if (this.#shown === undefined) return;
    this.#write(Buffer.from(POP + (this.#agents === undefined ? '' : setTitle(this.#agents))));
    this.#shown = undefined;
    this.#agents = undefined;
  }

  /** The agent printed this: a title it sets is put back at the end, ours stays meanwhile. */
  output(chunk: Buffer): void {
    if (this.#shown === undefined) return;
    let isReplaced = false;
    this.#reader.push(chunk, ({ code, data }) => {
      if (code !== 0 && code !== 2) return;
      this.#agents = data;
      isReplaced = true;
    });
    if (isReplaced) this.#write(Buffer.from(setTitle(this.#shown)));
  }
}
