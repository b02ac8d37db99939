/** Text from outside, made harmless for a terminal. lessons.md "Failures to design out" 9. */

/** C0 but tab and line feed, DEL, C1, and what reorders or hides text on a terminal. */
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g;
const LINE_ENDS = /\r\n?|[\u0085\u2028\u2029]/g;
/** Half of a surrogate pair: no terminal can show it, and it would not be UTF-8. */
const LONE_SURROGATE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** Text of another agent → text that may be typed or shown: no byte in it is a key or starts a sequence. */
export function sanitize(text: string): string {
  return text.replace(LINE_ENDS, '\n').replace(CONTROL, '').replace(LONE_SURROGATE, '\ufffd');
}

/** The same as one line: line ends are shown as signs. */
export const sanitizeLine = (text: string): string =>
  sanitize(text).trimEnd().replaceAll('\n', ' ⏎ ').replaceAll('\t', ' ');
