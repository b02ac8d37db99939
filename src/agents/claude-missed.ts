/** What an earlier wrapper of ours did not live to hear of a transcript, or to say that it had heard. */
import type { SpeechSink } from './adapter.ts';
import type { TranscriptEvent } from './claude-transcript.ts';
import type { Begun } from './positions.ts';

interface Open {
  message: string;
  id: string;
  length: number;
}

export class ClaudeMissed {
  readonly #begun: Begun[];
  readonly #sink: () => SpeechSink | undefined;
  /** The message that is being told under the id that it had, and how much of it. */
  #open: Open | undefined;

  constructor(begun: readonly Begun[], sink: () => SpeechSink | undefined) {
    this.#begun = [...begun];
    this.#sink = sink;
  }

  /** What had begun is told under the same id: the relay knows what it has. */
  tell(event: TranscriptEvent): void {
    if (event.kind !== 'speech') return;
    const sink = this.#sink();
    const text = event.text.trimStart();
    if (this.#open?.message !== event.message) {
      if (this.#open !== undefined) sink?.end(this.#open.id);
      this.#open = this.#known(event.message, text);
    }
    const open = this.#open;
    if (open === undefined) {
      sink?.text(event.id, 0, event.text);
      sink?.end(event.id);
      return;
    }
    // Further blocks of the message stand behind it, as the hooks told it.
    sink?.text(open.id, open.length, text);
    sink?.block?.(open.id);
    open.length += text.length;
  }

  #known(message: string, text: string): Open | undefined {
    const index = this.#begun.findIndex((one) => begins(text, one.text.trim()));
    const [same] = index < 0 ? [] : this.#begun.splice(index, 1);
    if (same === undefined) return undefined;
    const blanks = same.text.length - same.text.trimStart().length;
    return { message, id: same.id, length: (same.offset ?? 0) + blanks };
  }
}

/** A record of the transcript begins like this: it may have more, or be only the first block of it. */
const begins = (text: string, beginning: string): boolean =>
  text.startsWith(beginning) || (text !== '' && beginning.startsWith(text.trimEnd()));
