/** `MessageDisplay` hooks of Claude Code → its messages as they grow, in order. Seen in 2.1.329. */
import { type JsonRecord, stringIn } from './json-record.ts';

/** Hooks of one message that may wait for an earlier one: HTTP hooks were never seen out of order. */
const MAX_WAITING = 64;

export interface MessageSink {
  text(message: string, offset: number, text: string): void;
  end(message: string): void;
}

interface Open {
  id: string;
  /** Units told so far. */
  length: number;
  /** The index that comes next. */
  next: number;
  waiting: Map<number, { delta: string; final: boolean }>;
}

export class ClaudeMessages {
  readonly #sink: MessageSink;
  #open: Open | undefined;

  constructor(sink: MessageSink) {
    this.#sink = sink;
  }

  /** Takes one hook. Answers why it is not as we know it, or undefined. */
  display(hook: JsonRecord): string | undefined {
    const id = stringIn(hook, 'message_id');
    const delta = stringIn(hook, 'delta');
    const { index } = hook;
    if (id === undefined || delta === undefined || typeof index !== 'number') {
      return 'a MessageDisplay hook without message_id, index or delta';
    }
    if (this.#open?.id !== id) {
      // A cancelled message gets no `final`: the next one ends it.
      this.end();
      this.#open = { id, length: 0, next: 0, waiting: new Map() };
    }
    const open = this.#open as Open;
    if (open.waiting.size >= MAX_WAITING) return 'a MessageDisplay hook is missing';
    if (index >= open.next) open.waiting.set(index, { delta, final: hook.final === true });
    this.#drain(open);
    return undefined;
  }

  /** The turn is over, or the agent is gone. */
  end(): void {
    const open = this.#open;
    this.#open = undefined;
    if (open) this.#sink.end(open.id);
  }

  #drain(open: Open): void {
    for (;;) {
      const piece = open.waiting.get(open.next);
      if (!piece) return;
      open.waiting.delete(open.next++);
      if (piece.delta !== '') this.#sink.text(open.id, open.length, piece.delta);
      open.length += piece.delta.length;
      if (piece.final) {
        this.end();
        return;
      }
    }
  }
}
