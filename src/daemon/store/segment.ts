/**
 * What a segment is called and what stands in its header, twice over (2 × 64 bytes), so that one flipped
 * bit does not take a whole segment. docs/store.md "Files" and "Header"; P20.
 */
import { crc32 } from 'node:zlib';
import { RelayError } from '../../base/errors.ts';
import { allDone, type Files, type OpenFile, writeAll } from './files.ts';
import { encodeRecords } from './record.ts';

/** Version of header and records, and WELCOME's `store_format` (P20). */
export const STORE_FORMAT = 2;

const COPY_BYTES = 64;
export const SEGMENT_HEADER_BYTES = 2 * COPY_BYTES;
const MAGIC = Buffer.from('AWRAPLOG');

export type Durability = 'sync' | 'process';
export type SegmentKind = 'log' | 'snapshot';

/** The leader that wrote the segment and its count within that reign; both from 1 on. */
export interface SegmentId {
  epoch: number;
  number: number;
}

/** A place in the log: what stands in that segment before `offset`, and all before that segment. */
export interface LogEnd extends SegmentId {
  offset: number;
}

export interface SegmentHeader extends SegmentId {
  kind: SegmentKind;
  durability: Durability;
  marker: number;
  /** Where the one before ended: what stands there beyond it does not count. None for the very first. */
  previous: LogEnd | undefined;
  /** Milliseconds of the wall clock. */
  created: number;
  /** Bytes that were synced before the segment got its name: the header and what was carried over. */
  firstGroup: number;
}

const NAME = /^(\d{10})-(\d{10})\.(log|snap)$/;
export const UNFINISHED_SUFFIX = '.tmp';
/** What is being written; without its final name it does not count. */
export const UNFINISHED = /^\d{10}-\d{10}\.(?:log|snap)\.tmp$/;
/** What compaction would have dropped, had it been readable. */
export const SET_ASIDE = /^\d{10}-\d{10}\.(?:log|snap)\.damaged$/;

/** `<epoch, 10 digits>-<number, 10 digits>.log`, or `.snap` for a snapshot of the log up to its end. */
export function segmentName(id: SegmentId, kind: SegmentKind): string {
  const digits = (value: number) => String(value).padStart(10, '0');
  return `${digits(id.epoch)}-${digits(id.number)}.${kind === 'log' ? 'log' : 'snap'}`;
}

export function parseSegmentName(name: string): (SegmentId & { kind: SegmentKind }) | undefined {
  const match = NAME.exec(name);
  if (match === null) return undefined;
  return { epoch: Number(match[1]), number: Number(match[2]), kind: match[3] === 'log' ? 'log' : 'snapshot' };
}

/** Oldest first. */
export const compareIds = (a: SegmentId, b: SegmentId): number => a.epoch - b.epoch || a.number - b.number;

/** The highest epoch among the names of a store, 0 if none ever wrote: a new leader's must be higher. */
export const highestEpoch = (names: readonly string[]): number =>
  names.reduce((highest, name) => Math.max(highest, parseSegmentName(name)?.epoch ?? 0), 0);

export function encodeHeader(header: SegmentHeader): Buffer {
  const copy = Buffer.alloc(COPY_BYTES);
  MAGIC.copy(copy, 0);
  copy.writeUInt16BE(STORE_FORMAT, 8);
  copy.writeUInt8(header.kind === 'log' ? 0 : 1, 10);
  copy.writeUInt8(header.durability === 'process' ? 0 : 1, 11);
  copy.writeUInt32BE(header.marker, 12);
  copy.writeUInt32BE(header.epoch, 16);
  copy.writeUInt32BE(header.number, 20);
  copy.writeUInt32BE(header.previous?.epoch ?? 0, 24);
  copy.writeUInt32BE(header.previous?.number ?? 0, 28);
  copy.writeBigUInt64BE(BigInt(header.previous?.offset ?? 0), 32);
  copy.writeBigUInt64BE(BigInt(header.created), 40);
  copy.writeBigUInt64BE(BigInt(header.firstGroup), 48);
  copy.writeUInt32BE(crc32(copy.subarray(0, 60)), 60);
  return Buffer.concat([copy, copy]);
}

export interface DecodedHeader {
  header: SegmentHeader;
  /** One of the two copies is damaged: where it begins. */
  damagedCopy: number | undefined;
}

/**
 * The header of the segment `name`, or undefined if no copy of it is whole or it belongs to another name.
 * Throws STORE_TOO_NEW if a later version wrote it: magic, version and CRC stand where they are for ever.
 */
export function decodeHeader(bytes: Buffer, name: string): DecodedHeader | undefined {
  const copies = [0, COPY_BYTES].map((at) => decodeCopy(bytes.subarray(at, at + COPY_BYTES), name));
  const header = copies[0] ?? copies[1];
  if (header === undefined) return undefined;
  const bad = copies.indexOf(undefined);
  return { header, damagedCopy: bad === -1 ? undefined : bad * COPY_BYTES };
}

function decodeCopy(copy: Buffer, name: string): SegmentHeader | undefined {
  if (copy.length < COPY_BYTES || !copy.subarray(0, MAGIC.length).equals(MAGIC)) return undefined;
  if (crc32(copy.subarray(0, 60)) !== copy.readUInt32BE(60)) return undefined;
  const version = copy.readUInt16BE(8);
  if (version > STORE_FORMAT) {
    throw new RelayError('STORE_TOO_NEW', `${name} has store format ${version}; we know ${STORE_FORMAT}`);
  }
  const id = { epoch: copy.readUInt32BE(16), number: copy.readUInt32BE(20) };
  const previous: LogEnd = {
    epoch: copy.readUInt32BE(24),
    number: copy.readUInt32BE(28),
    offset: Number(copy.readBigUInt64BE(32)),
  };
  const kind: SegmentKind = copy.readUInt8(10) === 0 ? 'log' : 'snapshot';
  if (segmentName(id, kind) !== name) return undefined;
  return {
    ...id,
    kind,
    durability: copy.readUInt8(11) === 0 ? 'process' : 'sync',
    marker: copy.readUInt32BE(12),
    previous: previous.epoch === 0 ? undefined : previous,
    created: Number(copy.readBigUInt64BE(40)),
    firstGroup: Number(copy.readBigUInt64BE(48)),
  };
}

/** A segment that is being written. */
export interface Segment {
  readonly header: SegmentHeader;
  readonly name: string;
  readonly file: OpenFile;
  /** Where its records end. */
  end: number;
  /** How long the file is: behind the end there may be zeros (spare.ts). */
  length: number;
}

/**
 * Begins a segment under an unfinished name: header, the records `carried` over from another, and what
 * `prepare` does with it. It counts once `finishSegment` gave it its own. On failure nothing of it is left.
 */
export async function beginSegment(
  files: Files,
  fields: Omit<SegmentHeader, 'firstGroup'>,
  carried: readonly Buffer[] = [],
  prepare?: (segment: Segment) => Promise<unknown>,
): Promise<Segment> {
  const records = encodeRecords(carried, fields.marker, 0);
  const header = { ...fields, firstGroup: SEGMENT_HEADER_BYTES + records.length };
  const name = segmentName(header, header.kind);
  const segment = {
    header,
    name,
    file: await files.create(`${name}${UNFINISHED_SUFFIX}`),
    end: header.firstGroup,
    length: header.firstGroup,
  };
  try {
    await writeAll(segment.file, Buffer.concat([encodeHeader(header), records]), 0);
    await prepare?.(segment);
    return segment;
  } catch (error) {
    await abandonSegment(files, segment);
    throw error;
  }
}

/** What a segment builds on that another leader wrote. */
export interface Foundation {
  /** Puts it on the disk. */
  sync(): Promise<unknown>;
  /** Throws if nothing may be built on it any more. */
  check(): void;
}

/**
 * Syncs the segment and its foundation, gives it its name, syncs that. On failure before the name, nothing of
 * it is left.
 */
export async function finishSegment(files: Files, segment: Segment, foundation?: Foundation): Promise<void> {
  try {
    // At once: the file system commits its journal for all of them together.
    await allDone([segment.file.sync(), foundation?.sync()]);
    foundation?.check();
    await files.publish(`${segment.name}${UNFINISHED_SUFFIX}`, segment.name);
  } catch (error) {
    await abandonSegment(files, segment);
    throw error;
  }
  try {
    await files.syncNames();
  } catch (error) {
    await segment.file.close();
    throw error;
  }
}

/** Removes an unfinished segment as well as the disk lets us; the next opening does the rest. */
export async function abandonSegment(files: Files, segment: Segment): Promise<void> {
  await segment.file.close();
  await files.unlink(`${segment.name}${UNFINISHED_SUFFIX}`).catch(() => undefined);
}
