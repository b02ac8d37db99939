/**
 * Where the members of a JSON object stand in its text, so that a payload can be forwarded as it came
 * (P1): byte for byte, long numbers included, and without the cost of writing it anew.
 */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;

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
      case COMMA:
        if (depth === 0) return i;
        break;
    }
    i++;
  }
}

/** Whether valid JSON nests more than `limit` arrays and objects; text without many brackets costs next to nothing. */
export function nestsDeeper(text: string, limit: number): boolean {
  if (text.length < 2 * limit || !opensMore(text, limit)) return false;
  let depth = 0;
  for (let i = 0; i < text.length; ) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) {
      i = afterString(text, i);
      continue;
    }
    if (code === 0x7b || code === 0x5b) depth++;
    else if (code === 0x7d || code === 0x5d) depth--;
    if (depth > limit) return true;
    i++;
  }
  return false;
}

/** Whether more than `limit` brackets open in it, those in strings included. */
function opensMore(text: string, limit: number): boolean {
  let opened = 0;
  for (const bracket of '[{') {
    for (let at = text.indexOf(bracket); at !== -1; at = text.indexOf(bracket, at + 1)) {
      if (++opened > limit) return true;
    }
  }
  return false;
}

/** Where a value stands. */
export interface Span {
  start: number;
  end: number;
}

/**
 * Where the values of the named members of the object in `text` stand, without the blanks around them.
 * `text` must be valid JSON (parse it first) and an object, and may be its UTF-8 as well: a bracket is a
 * bracket in both. Of a member that stands twice the last counts, as with JSON.parse.
 */
export function memberSpans<K extends string>(text: string, names: readonly K[]): Partial<Record<K, Span>> {
  // Without a prototype: a member may be called `__proto__`.
  const found: Partial<Record<K, Span>> = Object.create(null);
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
    if ((names as readonly string[]).includes(plain)) found[plain as K] = trimmed(text, colon + 1, end);
    const comma = afterBlanks(text, end);
    if (text.charCodeAt(comma) !== COMMA) return found;
    i = comma + 1;
  }
}

const isBlank = (code: number): boolean => code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;

function afterBlanks(text: string, at: number): number {
  let i = at;
  while (isBlank(text.charCodeAt(i))) i++;
  return i;
}

function trimmed(text: string, from: number, to: number): Span {
  let end = to;
  while (isBlank(text.charCodeAt(end - 1))) end--;
  return { start: afterBlanks(text, from), end };
}
