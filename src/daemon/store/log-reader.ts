/**
 * Reads the records that count, oldest first, and says what is damaged, what is a torn tail and where the
 * log ends. docs/store.md "Recovery".
 */
import { RelayError } from '../../base/errors.ts';
import type { Chain, ChainLink, Damage } from './chain.ts';
import { GROUP_START, SNAPSHOT_END } from './record.ts';
import { type Found, scanRecords } from './scan.ts';
import { type LogEnd, SEGMENT_HEADER_BYTES } from './segment.ts';

type Gap = Extract<Found, { kind: 'gap' }>;

/** Bytes after the last whole record of the newest segment: what a crash leaves, promised to nobody. */
export interface TornTail {
  segment: string;
  offset: number;
  bytes: number;
}

/** What reading found out; filled as far as the reading has come. */
export class LogReader {
  readonly damage: Damage[];
  readonly #links: readonly ChainLink[];
  /** Records and bytes of each segment of the chain, by name. */
  readonly counts = new Map<string, { records: number; bytes: number }>();
  tail: TornTail | undefined;
  /** The end of what is proven to be on the disk; undefined while there is no segment. */
  end: LogEnd | undefined;
  /**
   * The last group: it may have been synced and promised, or not; its writer alone knew. The next leader
   * writes it anew instead of trusting a second sync of pages whose first one may have failed.
   */
  readonly lastGroup: Buffer[] = [];

  constructor(chain: Chain) {
    this.#links = chain.links;
    this.damage = [...chain.damage];
  }

  /** Every record that counts, a slice at a time. */
  async *read(): AsyncGenerator<Buffer[], void> {
    const newest = this.#links.at(-1);
    for (const link of this.#links) {
      this.counts.set(link.name, { records: 0, bytes: link.size });
      if (link === newest && link.header.kind === 'log') yield* this.#readNewest(link);
      else yield* this.#readClosed(link, link.end ?? link.size);
      if (link === newest && link.header.kind === 'snapshot') this.end = link.header.previous;
    }
  }

  /** A segment whose successor tells its end: what is bad before it had been good. */
  async *#readClosed(link: ChainLink, end: number): AsyncGenerator<Buffer[], void> {
    let complete = link.header.kind === 'log';
    for await (const found of this.#scan(link, Math.min(end, link.size))) {
      const bodies: Buffer[] = [];
      for (const one of found) {
        if (one.kind === 'gap') this.#report(link, one);
        else if (one.flags & SNAPSHOT_END) complete = true;
        else bodies.push(one.body);
      }
      yield this.#count(link, bodies);
    }
    if (link.size < end || !complete) {
      const text = complete ? 'the segment is shorter than its successor says' : 'the snapshot has no end';
      const bytes = Math.max(0, end - link.size);
      this.damage.push({ segment: link.name, offset: link.size, bytes, kind: 'missing', text });
    }
  }

  /**
   * The newest segment. A group is written only after the one before it was synced, so everything before
   * the start of its last group is proven, and bad bytes there are damage. The first bad record of the
   * last group ends the log.
   */
  async *#readNewest(link: ChainLink): AsyncGenerator<Buffer[], void> {
    const all: Found[] = [];
    for await (const found of this.#scan(link, link.size)) for (const one of found) all.push(one);
    const start = all.findLast((one) => one.kind === 'record' && one.flags & GROUP_START)?.at;
    const proven = start ?? Math.min(link.header.firstGroup, link.size);
    this.end = { epoch: link.header.epoch, number: link.header.number, offset: proven };
    if (link.size < link.header.firstGroup) {
      const bytes = link.header.firstGroup - link.size;
      const text = 'the segment is shorter than when it was begun';
      this.damage.push({ segment: link.name, offset: link.size, bytes, kind: 'missing', text });
    }
    const bodies: Buffer[] = [];
    for (const one of all) {
      if (one.kind === 'gap') {
        // A disk that gives no bytes is no crash; that they are the last ones proves nothing.
        if (one.at < proven || one.error !== undefined) this.#report(link, one);
        if (one.end <= proven) continue;
        // What lay ahead of its writer (spare.ts): the log ends in order.
        if (one.blank && one.at >= proven && one.end === link.size) break;
        this.tail = { segment: link.name, offset: Math.max(one.at, proven), bytes: 0 };
        this.tail.bytes = link.size - this.tail.offset;
        break;
      }
      bodies.push(one.body);
      if (one.at >= proven) this.lastGroup.push(one.body);
    }
    yield this.#count(link, bodies);
  }

  #scan(link: ChainLink, to: number): AsyncGenerator<Found[], void> {
    return scanRecords(link.file, link.header.marker, SEGMENT_HEADER_BYTES, to);
  }

  #count(link: ChainLink, bodies: Buffer[]): Buffer[] {
    const counts = this.counts.get(link.name);
    if (counts !== undefined) counts.records += bodies.length;
    return bodies;
  }

  #report(link: ChainLink, gap: Gap): void {
    const bytes = gap.end - gap.at;
    const unreadable = gap.error !== undefined;
    const text = unreadable
      ? `cannot be read: ${RelayError.from(gap.error).message}`
      : 'no whole record here (CRC, length or marker is wrong)';
    const kind = unreadable ? 'unreadable' : 'record';
    this.damage.push({ segment: link.name, offset: gap.at, bytes, kind, text });
  }
}
