/**
 * How one record stands in a segment: marker (4 bytes, the segment's own random number), CRC-32 of all
 * that follows (4), length of the body (4), flags (1), body. All numbers big-endian. docs/store.md "Record".
 *
 * The marker is random so that nobody can write a message whose body looks like a record of the segment:
 * after damage, the reader looks for the next marker.
 */
import { crc32 } from 'node:zlib';

export const RECORD_HEADER_BYTES = 13;

/** Bytes of a body. A SEND of a whole frame with a long recipient list fits; a flipped length does not. */
export const MAX_RECORD_BYTES = 4 * 1024 * 1024;

/** The first record of a group: at durability `sync`, all that stands before it had been synced. */
export const GROUP_START = 1;
/** No record, but the end of a snapshot: without it the snapshot was cut. */
export const SNAPSHOT_END = 2;

const CRC_AT = 4;
const LENGTH_AT = 8;
const FLAGS_AT = 12;

/** Records → the bytes to append; the first of them carries `firstFlags`. */
export function encodeRecords(bodies: readonly Buffer[], marker: number, firstFlags: number): Buffer {
  const total = bodies.reduce((sum, body) => sum + RECORD_HEADER_BYTES + body.length, 0);
  const bytes = Buffer.allocUnsafe(total);
  let at = 0;
  for (const body of bodies) {
    const end = at + RECORD_HEADER_BYTES + body.length;
    bytes.writeUInt32BE(marker, at);
    bytes.writeUInt32BE(body.length, at + LENGTH_AT);
    bytes.writeUInt8(at === 0 ? firstFlags : 0, at + FLAGS_AT);
    body.copy(bytes, at + RECORD_HEADER_BYTES);
    bytes.writeUInt32BE(crc32(bytes.subarray(at + LENGTH_AT, end)), at + CRC_AT);
    at = end;
  }
  return bytes;
}

export type DecodedRecord =
  | { kind: 'whole'; body: Buffer; flags: number; end: number }
  /** As far as one can see it is a record, but `bytes` must reach to `end` to say more. */
  | { kind: 'short'; end: number }
  | { kind: 'bad' };

/** What stands at `at`; `body` is a view of `bytes`. Judges the length before anything else is touched. */
export function decodeRecord(bytes: Buffer, at: number, marker: number): DecodedRecord {
  if (bytes.length - at < RECORD_HEADER_BYTES) return { kind: 'short', end: at + RECORD_HEADER_BYTES };
  if (bytes.readUInt32BE(at) !== marker) return { kind: 'bad' };
  const length = bytes.readUInt32BE(at + LENGTH_AT);
  if (length > MAX_RECORD_BYTES) return { kind: 'bad' };
  const start = at + RECORD_HEADER_BYTES;
  const end = start + length;
  if (end > bytes.length) return { kind: 'short', end };
  if (crc32(bytes.subarray(at + LENGTH_AT, end)) !== bytes.readUInt32BE(at + CRC_AT)) return { kind: 'bad' };
  return { kind: 'whole', body: bytes.subarray(start, end), flags: bytes.readUInt8(at + FLAGS_AT), end };
}

/** The four bytes a reader looks for after damage. */
export function markerBytes(marker: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(marker);
  return bytes;
}
