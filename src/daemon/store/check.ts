/** `store check`: reads every segment, changes nothing, and says what it found. docs/store.md "Check". */
import { type ChainLink, closeAll, type Damage, findChain, type ReadableSegment } from './chain.ts';
import type { Files } from './files.ts';
import { LogReader, type TornTail } from './log-reader.ts';
import { parseSegmentName, SET_ASIDE, STORE_FORMAT, UNFINISHED } from './segment.ts';

export interface CheckedSegment {
  name: string;
  kind: 'log' | 'snapshot';
  /** False for what a deposed leader wrote, or what a snapshot has replaced: it is not recovered. */
  counts: boolean;
  created: number;
  records: number;
  bytes: number;
}

export interface CheckReport {
  format: number;
  segments: CheckedSegment[];
  /** Of the segments that count. */
  records: number;
  bytes: number;
  damage: Damage[];
  /** What a crash left unfinished at the end of the log; no damage. */
  tail: TornTail | undefined;
  /** Files that compaction set aside because they were damaged. */
  setAside: string[];
  /** Begun, and never given a name that counts; the next leader removes them. */
  unfinished: string[];
  /** No files of ours; nobody touches them. */
  foreign: string[];
}

/** Throws STORE_TOO_NEW, and what the disk throws for the directory. */
export async function checkStore(files: Files): Promise<CheckReport> {
  const names = (await files.list()).sort();
  const chain = await findChain(files);
  try {
    const reader = new LogReader(chain);
    for await (const _bodies of reader.read());
    const segments = chain.links.map((link) => checked(link, reader, true));
    const damage = [...reader.damage];
    for (const stray of chain.strays) segments.push(await checkStray(stray, damage));
    const counting = segments.filter((segment) => segment.counts);
    return {
      format: STORE_FORMAT,
      segments,
      records: counting.reduce((sum, segment) => sum + segment.records, 0),
      bytes: counting.reduce((sum, segment) => sum + segment.bytes, 0),
      damage,
      tail: reader.tail,
      setAside: names.filter((name) => SET_ASIDE.test(name)),
      unfinished: names.filter((name) => UNFINISHED.test(name)),
      foreign: names.filter(
        (name) => parseSegmentName(name) === undefined && !SET_ASIDE.test(name) && !UNFINISHED.test(name),
      ),
    };
  } finally {
    await closeAll([...chain.links, ...chain.strays]);
  }
}

/** Alone, as if it were the newest: how far a deposed leader came is no damage. */
async function checkStray(stray: ReadableSegment, damage: Damage[]): Promise<CheckedSegment> {
  const reader = new LogReader({ links: [{ ...stray, end: undefined }], strays: [], damage: [] });
  for await (const _bodies of reader.read());
  damage.push(...reader.damage);
  return checked(stray, reader, false);
}

function checked(segment: ReadableSegment | ChainLink, reader: LogReader, counts: boolean): CheckedSegment {
  const { name, header } = segment;
  const count = reader.counts.get(name) ?? { records: 0, bytes: 0 };
  return { name, kind: header.kind, counts, created: header.created, ...count };
}
