/** Ids of envelopes: random ones, and ones derived from a key so that every leader gives the same (P3). */
import { createHash, randomUUID } from 'node:crypto';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** The name space of our derived ids, itself random once and fixed for ever. */
const NAME_SPACE = Buffer.from('7c9a1b5e0d3f4a688e21c4f7b0a9d653', 'hex');

/** A fresh UUIDv4. */
export const newId = (): string => randomUUID();

export const isUuid = (id: string): boolean => UUID.test(id);

/** UUIDv5 of the parts. The same parts give the same id; no two lists of parts share one. */
export function derivedId(...parts: readonly string[]): string {
  const hash = createHash('sha1').update(NAME_SPACE).update(JSON.stringify(parts)).digest();
  hash[6] = ((hash[6] as number) & 0x0f) | 0x50;
  hash[8] = ((hash[8] as number) & 0x3f) | 0x80;
  const hex = hash.toString('hex', 0, 16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
