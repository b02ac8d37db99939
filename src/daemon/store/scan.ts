/**
 * Reads the records of one segment file in slices, and goes on after damage at the next record that is
 * whole. It judges nothing: what a gap means is for log-reader.ts to say.
 */
import { type OpenFile, readAt } from './files.ts';
import { decodeRecord, markerBytes } from './record.ts';

/** Bytes read at once: few system calls, and no whole snapshot in memory. */
const SLICE_BYTES = 1024 * 1024;

export type Found =
  /** `body` is the caller's own, no view of a larger block. */
  | { kind: 'record'; at: number; end: number; body: Buffer; flags: number }
  /** Bytes that are no record: `blank` if all of them are 0, `error` if the disk did not even give them. */
  | { kind: 'gap'; at: number; end: number; blank: boolean; error?: unknown };

/** What stands from `from` up to `to` (the file's end at most), in order, a slice at a time. */
export async function* scanRecords(
  file: OpenFile,
  marker: number,
  from: number,
  to: number,
): AsyncGenerator<Found[], void> {
  const wanted = markerBytes(marker);
  let at = from;
  let gap: number | undefined;
  let blank = true;
  let need = SLICE_BYTES;
  while (at < to) {
    const length = Math.min(to - at, need);
    let slice: Buffer;
    try {
      slice = await readAt(file, at, length);
    } catch (error) {
      yield [{ kind: 'gap', at: gap ?? at, end: to, blank: false, error }];
      return;
    }
    // Shorter than asked: the file ends here, whatever its size was.
    const last = at + slice.length >= to || slice.length < length;
    const found: Found[] = [];
    need = SLICE_BYTES;
    let here = 0;
    while (here < slice.length) {
      const record = decodeRecord(slice, here, marker);
      if (record.kind === 'whole') {
        if (gap !== undefined) found.push({ kind: 'gap', at: gap, end: at + here, blank });
        gap = undefined;
        blank = true;
        const body = Buffer.from(record.body);
        found.push({ kind: 'record', at: at + here, end: at + record.end, body, flags: record.flags });
        here = record.end;
        continue;
      }
      // A record cut by the slice, not by the file: read on from its start.
      if (record.kind === 'short' && at + record.end <= to && !last) {
        need = Math.max(SLICE_BYTES, record.end - here);
        break;
      }
      gap ??= at + here;
      const bad = here;
      const next = slice.indexOf(wanted, here + 1);
      if (next !== -1) here = next;
      else if (last) here = slice.length;
      else {
        // The marker may lie across the end of the slice.
        here = Math.max(here + 1, slice.length - wanted.length + 1);
      }
      blank &&= isBlank(slice, bad, here);
      if (next === -1) break;
    }
    yield found;
    at += here;
    if (last) break;
  }
  if (gap !== undefined || at < to) yield [{ kind: 'gap', at: gap ?? at, end: to, blank }];
}

const ZEROS = Buffer.alloc(64 * 1024);

function isBlank(bytes: Buffer, from: number, to: number): boolean {
  for (let at = from; at < to; at += ZEROS.length) {
    const end = Math.min(to, at + ZEROS.length);
    if (bytes.compare(ZEROS, 0, end - at, at, end) !== 0) return false;
  }
  return true;
}
