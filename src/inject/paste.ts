/** Text → the bytes that put it into an input box without submitting any of it. terminal.md §2. */

const PASTE_START = '\x1b[200~';
const PASTE_END = '\x1b[201~';

/** The submit key, alone in its write: in one write with text most agents take it as a part of the text. */
export const SUBMIT = Buffer.from('\r');

/** Bytes of one line that the kernel's line editor takes; what is longer it cuts in silence. */
export const CANONICAL_LINE_BYTES = 4095;

/**
 * `text` must be sanitized: it holds no control but tab and LF. Where the agent has not switched
 * bracketed paste on, a line feed would submit half a message: lines are joined by a visible mark.
 */
export function pasteBytes(text: string, bracketed: boolean): Buffer {
  if (bracketed) return Buffer.from(`${PASTE_START}${text}${PASTE_END}`);
  return Buffer.from(text.replace(/\n+/g, ' ⏎ ').replace(/\t/g, ' '));
}
