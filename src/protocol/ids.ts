/** Ids of envelopes: random ones, and ones derived from a key so that every leader gives the same (P3). */
import { hash, randomUUID } from 'node:crypto';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** The name space of our derived ids, itself random once and fixed for ever. */
const NAME_SPACE = Buffer.from('7c9a1b5e0d3f4a688e21c4f7b0a9d653', 'hex');

/** A fresh UUIDv4. */
export const newId = (): string => randomUUID();

export const isUuid = (id: string): boolean => UUID.test(id);

/** Room for a key of two names and the longest id. */
const input = Buffer.alloc(1_024);
NAME_SPACE.copy(input);
const DIGITS = 32;
const digits = Buffer.alloc(40);
const output = Buffer.from('xxxxxxxx-xxxx-5xxx-Nxxx-xxxxxxxxxxxx');
/** Where the dashes are, the digit that says the version, and the one that says the variant. */
const DASHES: ReadonlySet<number> = new Set([8, 13, 18, 23]);
const VERSION_AT = 14;
const VARIANT_AT = 19;
const VARIANTS = Buffer.from('89ab');

/** UUIDv5 of the parts. The same parts give the same id; no two lists of parts share one. */
export function derivedId(...parts: readonly string[]): string {
  const hex = hash('sha1', hashed(JSON.stringify(parts)), 'hex');
  digits.write(hex, 0, 'latin1');
  // Byte by byte, because a string made of pieces keeps each of them in memory.
  for (let from = 0, to = 0; from < DIGITS; to++) {
    if (DASHES.has(to)) continue;
    output[to] = digits[from++] as number;
  }
  output[VERSION_AT] = 0x35;
  output[VARIANT_AT] = VARIANTS[Number.parseInt(hex.charAt(16), 16) & 0x3] as number;
  return output.toString('latin1');
}

function hashed(text: string): Buffer {
  if (text.length * 3 > input.length - NAME_SPACE.length)
    return Buffer.concat([NAME_SPACE, Buffer.from(text)]);
  return input.subarray(0, NAME_SPACE.length + input.write(text, NAME_SPACE.length));
}
