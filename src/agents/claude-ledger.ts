/**
 * Claude Code tells what it says twice: by its hooks while it streams, by its transcript when a block is
 * complete. The ledger knows what was said by the first account, so that the second can show that it is
 * complete, and take over in the middle of a message without saying anything twice.
 */

import type { Begun } from './positions.ts';

/** Messages kept for comparison: the accounts differ by a moment, not by an evening. */
const KEPT = 64;

/** UTF-16 code units by which a message is known again. */
const BEGINNING = 200;

interface Said {
  id: string;
  text: string;
  /** Up to here the transcript has confirmed it. */
  confirmed: number;
}

/**
 * A block that the hooks glued to the line before it, so that nobody saw where it begins. Only the transcript
 * shows it, and only when the whole message is complete (2.1.329).
 */
export interface Glued {
  message: string;
  /** Where it begins in the message. */
  offset: number;
  text: string;
}

/** A block of the transcript that the hooks have not told, or not to its end. */
export interface Unsaid {
  message: string;
  /** Where `text` starts in the message. */
  offset: number;
  text: string;
}

/** A block of text in a transcript. */
export interface Written {
  id: string;
  text: string;
  file: string;
  /** Bytes of the file before it. */
  from: number;
  /** Monotonic milliseconds. */
  at: number;
}

export class ClaudeLedger {
  readonly #said: Said[] = [];
  #written: Written[] = [];
  #glued: Glued[] = [];

  /** A hook told more of a message. */
  said(id: string, text: string): void {
    let entry = this.#said.find((one) => one.id === id);
    if (!entry) {
      entry = { id, text: '', confirmed: 0 };
      this.#said.push(entry);
      if (this.#said.length > KEPT) this.#said.shift();
    }
    entry.text += text;
    this.#written = this.#written.filter((block) => !this.#confirm(block));
  }

  /** The transcript has a block. */
  written(block: Written): void {
    if (!this.#confirm(block)) this.#written.push(block);
  }

  /** Blocks whose beginning the hooks hid, in order; each once. */
  takeGlued(): Glued[] {
    return this.#glued.splice(0);
  }

  /** Was this text (up to blanks at its ends) told by a hook? */
  hasSaid(text: string): boolean {
    return this.#said.some((one) => one.text.includes(text.trim()));
  }

  /** Messages that a hook told, from where on the transcript does not have them so far. */
  get begun(): Begun[] {
    return this.#said
      .filter((one) => one.confirmed === 0 || one.text.slice(one.confirmed).trim() !== '')
      .map(({ id, text, confirmed }) => ({
        id,
        text: text.slice(confirmed, confirmed + BEGINNING),
        ...(confirmed === 0 ? {} : { offset: confirmed }),
      }));
  }

  /** Where the first block of this file stands that no hook told; undefined if there is none. */
  unsaidFrom(file: string): number | undefined {
    return this.#written.find((block) => block.file === file)?.from;
  }

  /** When the oldest block was written that no hook told; undefined if there is none. */
  get oldestUnsaid(): number | undefined {
    return this.#written[0]?.at;
  }

  /** What the hooks did not tell, in order; afterwards the ledger is empty. */
  takeUnsaid(): Unsaid[] {
    const written = this.#written;
    this.#written = [];
    return written.map((block) => {
      // The beginning may have been told under the hook's id: go on from there.
      const begun = this.#said.find((one) => {
        const rest = one.text.slice(one.confirmed);
        return rest !== '' && block.text.startsWith(rest);
      });
      if (!begun) return { message: block.id, offset: 0, text: block.text };
      const rest = begun.text.length - begun.confirmed;
      const unsaid = { message: begun.id, offset: begun.text.length, text: block.text.slice(rest) };
      begun.confirmed = begun.text.length;
      return unsaid;
    });
  }

  #confirm(block: Written): boolean {
    // Blanks at the ends may be lost on one of the two ways; nothing is said twice because of them.
    const text = block.text.trim();
    for (const one of this.#said) {
      const at = one.text.indexOf(text, one.confirmed);
      if (at < 0) continue;
      // The first block may stand behind words that we do not know; each other one follows a block.
      const follows = one.confirmed > 0 && /^[^\S\n]*$/.test(one.text.slice(one.confirmed, at));
      if (follows) this.#glued.push({ message: one.id, offset: at, text });
      one.confirmed = at + text.length;
      return true;
    }
    return false;
  }
}
