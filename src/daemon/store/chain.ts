/**
 * Which segments count, in which order and up to where. Each header names its predecessor and where that
 * ended, so the log is found from its newest segment backwards, down to a snapshot or the first segment of
 * all. What is off this chain was written by a leader already deposed, or was replaced. P20.
 */
import { RelayError, systemCode } from '../../base/errors.ts';
import { type Files, type OpenFile, readAt } from './files.ts';
import {
  compareIds,
  decodeHeader,
  type LogEnd,
  parseSegmentName,
  SEGMENT_HEADER_BYTES,
  type SegmentHeader,
} from './segment.ts';

/** Something is not as it was written. Recovery goes on behind it; code STORE_CORRUPT in logs. */
export interface Damage {
  segment: string;
  offset: number;
  /** Bytes concerned; 0 where it is the whole segment. */
  bytes: number;
  kind: 'header' | 'record' | 'missing' | 'unreadable';
  text: string;
}

/** A segment whose header could be read. */
export interface ReadableSegment {
  name: string;
  header: SegmentHeader;
  file: OpenFile;
  size: number;
}

export interface ChainLink extends ReadableSegment {
  /** Where its successor says it ends; undefined for the newest. */
  end: number | undefined;
}

export interface Chain {
  /** Oldest first; the first may be a snapshot. */
  links: ChainLink[];
  /** Readable segments that do not count. */
  strays: ReadableSegment[];
  damage: Damage[];
}

/** Compaction of a leader just deposed may take files away while we look; more often is no accident. */
const MAX_TRIES = 10;

/** Opens every segment and finds the chain. The caller closes the files. Throws STORE_TOO_NEW. */
export async function findChain(files: Files): Promise<Chain> {
  for (let tries = 1; ; tries += 1) {
    const opened: ReadableSegment[] = [];
    const damage: Damage[] = [];
    try {
      for (const name of (await files.list()).sort()) {
        if (parseSegmentName(name) === undefined) continue;
        const segment = await openSegment(files, name, damage);
        if (segment !== undefined) opened.push(segment);
      }
      return follow(opened, damage);
    } catch (error) {
      await closeAll(opened);
      if (systemCode(error) !== 'ENOENT' || tries === MAX_TRIES) throw error;
    }
  }
}

export async function closeAll(segments: Iterable<ReadableSegment>): Promise<void> {
  for (const segment of segments) await segment.file.close();
}

async function openSegment(
  files: Files,
  name: string,
  damage: Damage[],
): Promise<ReadableSegment | undefined> {
  let file: OpenFile | undefined;
  try {
    file = await files.open(name);
    const decoded = decodeHeader(await readAt(file, 0, SEGMENT_HEADER_BYTES), name);
    if (decoded === undefined) {
      damage.push(wholeSegment(name, 'header', 'no copy of the header is whole'));
      await file.close();
      return undefined;
    }
    if (decoded.damagedCopy !== undefined) {
      const text = 'one copy of the header is damaged; the other was used';
      damage.push({ segment: name, offset: decoded.damagedCopy, bytes: 64, kind: 'header', text });
    }
    return { name, header: decoded.header, file, size: await file.size() };
  } catch (error) {
    await file?.close();
    const code = systemCode(error);
    // Too many open files, or a segment just dropped: says nothing about the segment.
    if (code === 'ENOENT' || code === 'EMFILE' || code === 'ENFILE') throw error;
    if (error instanceof RelayError && error.code === 'STORE_TOO_NEW') throw error;
    damage.push(wholeSegment(name, 'unreadable', RelayError.from(error).message));
    return undefined;
  }
}

const wholeSegment = (segment: string, kind: Damage['kind'], text: string): Damage => ({
  segment,
  offset: 0,
  bytes: 0,
  kind,
  text,
});

/** Pure: headers → chain. */
function follow(opened: readonly ReadableSegment[], damage: Damage[]): Chain {
  const newestFirst = [...opened].sort((a, b) => compareIds(b.header, a.header));
  const logs = newestFirst.filter((segment) => segment.header.kind === 'log');
  const snapshots = newestFirst.filter((segment) => segment.header.kind === 'snapshot');
  const links: ChainLink[] = [];
  let segment = logs[0];
  const newestSnapshot = snapshots[0];
  // The segment behind a snapshot has its name before the snapshot has.
  if (newestSnapshot && (!segment || compareIds(segment.header, newestSnapshot.header) <= 0)) {
    damage.push(wholeSegment(newestSnapshot.name, 'missing', 'the segments after this snapshot are gone'));
    links.push({ ...newestSnapshot, end: newestSnapshot.size });
    segment = undefined;
  }
  let end: number | undefined;
  while (segment !== undefined) {
    links.unshift({ ...segment, end });
    const current = segment.header;
    const previous = current.previous;
    if (previous === undefined) break;
    const base = snapshots.find((one) => sameEnd(one.header.previous, previous));
    if (base !== undefined) {
      links.unshift({ ...base, end: base.size });
      break;
    }
    const older = logs.filter((one) => compareIds(one.header, current) < 0);
    segment = older.find((one) => compareIds(one.header, previous) === 0);
    end = previous.offset;
    if (segment === undefined) {
      const text = `its predecessor ${previous.epoch}-${previous.number} cannot be read; older ones are`;
      damage.push(wholeSegment(links[0]?.name ?? '', 'missing', text));
      // A snapshot stands for all that is older than its own base.
      const snapshot = snapshots.find((one) => compareIds(one.header, previous) < 0);
      const next = older.find((one) => compareIds(one.header, previous) < 0);
      if (snapshot !== undefined && (next === undefined || compareIds(snapshot.header, next.header) >= 0)) {
        links.unshift({ ...snapshot, end: snapshot.size });
        break;
      }
      segment = next;
      end = undefined;
    }
  }
  const counted = new Set(links.map((link) => link.name));
  return { links, damage, strays: opened.filter((one) => !counted.has(one.name)) };
}

function sameEnd(a: LogEnd | undefined, b: LogEnd): boolean {
  return a !== undefined && compareIds(a, b) === 0 && a.offset === b.offset;
}
