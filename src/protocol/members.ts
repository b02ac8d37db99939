/**
 * Where the members of a JSON object stand in its text, so that a payload can be forwarded as it came
 * (P1): byte for byte, long numbers included, and without the cost of writing it anew.
 */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Index behind the string that opens at `at`. */
function afterString(text: string, at: number): number {
  let i = at + 1;
  for (;;) {
    const quote = text.indexOf('"', i);
    let backslashes = 0;
    while (text.charCodeAt(quote - 1 - backslashes) === BACKSLASH) backslashes++;
    if (backslashes % 2 === 0) return quote + 1;
    i = quote + 1;
  }
}

/** Index behind the value that starts at `at`. Counts brackets instead of recursing: depth is free. */
function afterValue(text: string, at: number): number {
  let depth = 0;
  let i = at;
  for (;;) {
    switch (text.charCodeAt(i)) {
      case QUOTE:
        i = afterString(text, i);
        if (depth === 0) return i;
        continue;
      case 0x7b: // {
      case 0x5b: // [
        depth++;
        break;
      case 0x7d: // }
      case 0x5d: // ]
        if (depth === 0) return i;
        depth--;
        if (depth === 0) return i + 1;
        break;
      case 0x2c: // ,
        if (depth === 0) return i;
        break;
    }
    i++;
  }
}

/**
 * The source text of the named members of the object in `text`. `text` must be valid JSON (parse it
 * first) and an object. Of a member that stands twice the last counts, as with JSON.parse.
 */
export function rawMembers<K extends string>(text: string, names: readonly K[]): Partial<Record<K, string>> {
  // Without a prototype: a member may be called `__proto__`.
  const found: Partial<Record<K, string>> = Object.create(null);
  let i = text.indexOf('{') + 1;
  for (;;) {
    const open = text.indexOf('"', i);
    if (open === -1) return found;
    const close = afterString(text, open);
    const key = text.slice(open + 1, close - 1);
    const colon = text.indexOf(':', close);
    const end = afterValue(text, colon + 1);
    // An escaped key (`"p\u0061yload"`) is rare enough to be parsed only when it is there.
    const plain = key.includes('\\') ? (JSON.parse(`"${key}"`) as string) : key;
    if ((names as readonly string[]).includes(plain)) found[plain as K] = text.slice(colon + 1, end).trim();
    if (text.charCodeAt(end) !== 0x2c) {
      // Blanks may stand between a value and its comma.
      const comma = text.slice(end).search(/[^\s]/);
      if (comma === -1 || text.charCodeAt(end + comma) !== 0x2c) return found;
      i = end + comma + 1;
    } else {
      i = end + 1;
    }
  }
}
