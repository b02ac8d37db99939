/**
 * Writing a snapshot of the log and dropping what it replaces. The snapshot counts from the moment it has
 * its name; nothing is dropped before that is synced. docs/store.md "Compaction".
 */
import { systemCode } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import { type Files, writeAll } from './files.ts';
import { encodeRecords, RECORD_HEADER_BYTES, SNAPSHOT_END } from './record.ts';
import {
  abandonSegment,
  beginSegment,
  compareIds,
  finishSegment,
  parseSegmentName,
  type Segment,
  type SegmentHeader,
  type SegmentId,
} from './segment.ts';

/** Bytes encoded, written and synced at once: what the appends have to wait for in between. */
const SLICE_BYTES = 256 * 1024;

export interface SnapshotOptions {
  soon: (fn: () => void) => void;
  /** Throws when there is no point in going on. */
  goOn: () => void;
  /** Waits until all that the snapshot may contain is done; throws if it never will be. */
  settled: () => Promise<void>;
}

/** Writes the snapshot and gives it its name. On failure before that, nothing of it is left. */
export async function writeSnapshot(
  files: Files,
  fields: Omit<SegmentHeader, 'firstGroup'>,
  records: Iterable<Buffer>,
  { soon, goOn, settled }: SnapshotOptions,
): Promise<Segment> {
  const segment = await beginSegment(files, fields);
  try {
    for (const slice of slices(records)) {
      goOn();
      await append(segment, encodeRecords(slice, fields.marker, 0));
      await segment.file.sync();
      await new Promise<void>((resolve) => soon(resolve));
    }
    await append(segment, encodeRecords([Buffer.alloc(0)], fields.marker, SNAPSHOT_END));
    // Whoever deposes us from here on reads after this: it finds the segment behind the snapshot, so the
    // snapshot counts for it too, and dropping what it replaces takes nothing from anybody.
    await settled();
  } catch (error) {
    await abandonSegment(files, segment);
    throw error;
  }
  await finishSegment(files, segment);
  await segment.file.close();
  return segment;
}

async function append(segment: Segment, bytes: Buffer): Promise<void> {
  await writeAll(segment.file, bytes, segment.end);
  segment.end += bytes.length;
}

function* slices(records: Iterable<Buffer>): Generator<Buffer[], void> {
  let slice: Buffer[] = [];
  let bytes = 0;
  for (const record of records) {
    slice.push(record);
    bytes += RECORD_HEADER_BYTES + record.length;
    if (bytes < SLICE_BYTES) continue;
    yield slice;
    slice = [];
    bytes = 0;
  }
  if (slice.length > 0) yield slice;
}

/**
 * Drops every segment up to `base` that the snapshot of `base` stands for; sets the `damaged` ones aside
 * instead, for a person to look at. Returns the names that are gone.
 */
export async function dropReplaced(
  files: Files,
  base: SegmentId,
  damaged: ReadonlySet<string>,
  log: Log,
): Promise<string[]> {
  const gone: string[] = [];
  for (const name of (await files.list()).sort()) {
    const id = parseSegmentName(name);
    if (id === undefined) continue;
    const order = compareIds(id, base);
    if (order > 0 || (order === 0 && id.kind === 'snapshot')) continue;
    try {
      if (damaged.has(name)) await files.rename(name, `${name}.damaged`);
      else await files.unlink(name);
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') {
        log.warn('store_drop', { name, error });
        continue;
      }
    }
    gone.push(name);
  }
  return gone;
}
