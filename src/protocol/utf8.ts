/**
 * UTF-8 that is passed on and seldom read: a string with one character for each byte. It is copied in and
 * out of buffers without being decoded, exactly as it came (P1), and takes a byte a character in memory.
 */
declare const bytes: unique symbol;

/** Characters U+0000–U+00FF that stand for the bytes of UTF-8 text. */
export type Utf8 = string & { readonly [bytes]: true };

const ASCII = /^[\0-\x7f]*$/;

/** Text → its UTF-8. */
export const utf8 = (text: string): Utf8 =>
  (ASCII.test(text) ? text : Buffer.from(text, 'utf8').toString('latin1')) as Utf8;

/** UTF-8 → the text that it is. */
export const textOf = (utf8: Utf8): string => Buffer.from(utf8, 'latin1').toString('utf8');

/** The bytes from `start` to `end` as they are. */
export const utf8Slice = (body: Buffer, start = 0, end = body.length): Utf8 =>
  body.toString('latin1', start, end) as Utf8;
