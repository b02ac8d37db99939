/**
 * The positions in the transcripts this wrapper hears, one small file each in the relay's directory. A
 * position is written only when the relay has all that was heard before it: a crash then repeats words
 * rather than losing them, and the relay knows their ids (P15).
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { parseRecord, recordsIn, stringIn } from '../agents/json-record.ts';
import type { Begun, Kept, Positions } from '../agents/positions.ts';
import type { Clock, Timer } from '../base/clock.ts';
import { isAlive } from '../base/is-alive.ts';
import type { Log } from '../base/log.ts';
import { preparePrivate } from '../base/paths.ts';
import { replacePrivate } from '../base/private-file.ts';

/** Milliseconds between two writes of the same position. */
const WRITE_MS = 1_000;

/** Milliseconds between two signs of life of a wrapper whose agent is silent. */
const ALIVE_MS = 10_000;

/** Milliseconds an agent may go on writing after its wrapper's last sign of life. */
const AFTERLIFE_MS = 2 * ALIVE_MS;

/** Positions that killed wrappers left behind; the oldest go first. */
export const MAX_KEPT = 256;

/** A position as it is written. */
interface Position {
  transcript: string;
  inode: number;
  offset: number;
  begun: Begun[];
  /** The wrapper that hears it. */
  pid: number;
  /** Its last sign of life, milliseconds since the epoch. */
  alive: number;
}

export interface PositionStoreOptions {
  /** Where the positions lie; its parent exists and is ours alone. May throw: then nothing is kept. */
  directory: () => string;
  /** Has the relay all that was heard? */
  settled: () => boolean;
  clock: Clock;
  log: Log;
}

/** A transcript of ours. */
interface Entry {
  offset: number;
  begun: readonly Begun[];
  written: Position | undefined;
}

export class PositionStore implements Positions {
  readonly #options: PositionStoreOptions;
  readonly #entries = new Map<string, Entry>();
  #directory: string | undefined;
  #timer: Timer | undefined;
  #state: 'open' | 'failed' | 'closed' = 'open';

  constructor(options: PositionStoreOptions) {
    this.#options = options;
  }

  get(transcript: string): Kept | undefined {
    return this.#try(() => {
      const kept = this.#read(transcript);
      const stat = statOf(transcript);
      if (kept === undefined || stat === undefined || kept.transcript !== transcript) return undefined;
      // Another wrapper hears it now: what it has not told yet, it will.
      if (kept.pid !== process.pid && isAlive(kept.pid)) return undefined;
      if (stat.ino !== kept.inode || stat.size < kept.offset) return undefined;
      this.#options.log.info('heard.found', { transcript, offset: kept.offset, size: stat.size });
      return { offset: kept.offset, begun: kept.begun, until: kept.alive + AFTERLIFE_MS };
    });
  }

  set(transcript: string, offset: number, begun: readonly Begun[] = []): void {
    if (this.#state !== 'open') return;
    this.#timer ??= this.#options.clock.every(WRITE_MS, () => this.#tick(), { unref: true });
    const entry = this.#entries.get(transcript) ?? { offset, begun, written: undefined };
    this.#entries.set(transcript, entry);
    entry.offset = offset;
    entry.begun = begun;
    const { written } = entry;
    if (written === undefined) {
      this.#write(transcript, entry, offset, begun);
      return;
    }
    const fresh = begun.filter(({ id }) => !written.begun.some((one) => one.id === id));
    // Before its words leave; the position itself still waits for the relay.
    if (fresh.length > 0) this.#write(transcript, entry, written.offset, [...written.begun, ...fresh]);
  }

  /** The agent is gone: unless the relay still lacks something, there is nothing to take up. Twice is fine. */
  close(): void {
    this.#timer?.cancel();
    if (this.#state !== 'open') return;
    if (this.#options.settled()) {
      this.#try(() => {
        for (const transcript of this.#entries.keys()) rmSync(this.#path(transcript), { force: true });
      });
    }
    this.#state = 'closed';
  }

  #tick(): void {
    if (!this.#options.settled()) return;
    const now = this.#options.clock.now();
    for (const [transcript, entry] of this.#entries) {
      const { offset, begun, written } = entry;
      const same = written?.offset === offset && written.begun.length === begun.length;
      if (!same || now - written.alive >= ALIVE_MS) this.#write(transcript, entry, offset, begun);
    }
  }

  #write(transcript: string, entry: Entry, offset: number, begun: readonly Begun[]): void {
    this.#try(() => {
      const inode = statOf(transcript)?.ino;
      // Not there yet: with its first line it will be.
      if (inode === undefined) return;
      const alive = this.#options.clock.now();
      const position: Position = { transcript, inode, offset, begun: [...begun], pid: process.pid, alive };
      replacePrivate(this.#path(transcript), `${JSON.stringify(position)}\n`);
      entry.written = position;
    });
  }

  #read(transcript: string): Position | undefined {
    const path = this.#path(transcript);
    const text = existsSync(path) ? readFileSync(path, 'utf8') : undefined;
    const position = text === undefined ? undefined : parsePosition(text);
    if (text !== undefined && position === undefined) this.#options.log.warn('heard.unreadable', { path });
    return position;
  }

  #path(transcript: string): string {
    const name = createHash('sha256').update(transcript).digest('hex').slice(0, 32);
    this.#directory ??= this.#open();
    return join(this.#directory, `${name}.json`);
  }

  #open(): string {
    const directory = this.#options.directory();
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    preparePrivate(directory, process.getuid?.() ?? 0);
    const files = readdirSync(directory)
      .map((name) => join(directory, name))
      .map((path) => ({ path, at: statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0 }))
      .sort((a, b) => b.at - a.at);
    for (const { path } of files.slice(MAX_KEPT)) rmSync(path, { force: true });
    return directory;
  }

  /** Without a disk we hear as well; only a crash is not survived. */
  #try<T>(work: () => T): T | undefined {
    if (this.#state !== 'open') return undefined;
    try {
      return work();
    } catch (error) {
      this.#state = 'failed';
      this.#timer?.cancel();
      this.#options.log.warn('heard.failed', { error });
      return undefined;
    }
  }
}

/** A session that a server keeps, and that is no file, is there whatever happens: its server knows what it holds. */
function statOf(transcript: string): { ino: number; size: number } | undefined {
  return isAbsolute(transcript)
    ? statSync(transcript, { throwIfNoEntry: false })
    : { ino: 0, size: Number.MAX_SAFE_INTEGER };
}

function parsePosition(text: string): Position | undefined {
  const record = parseRecord(text);
  const transcript = record && stringIn(record, 'transcript');
  if (record === undefined || transcript === undefined) return undefined;
  const { inode, offset, pid, alive } = record;
  if (![inode, offset, pid].every((value) => Number.isSafeInteger(value) && Number(value) >= 0)) {
    return undefined;
  }
  if (typeof alive !== 'number' || pid === 0) return undefined;
  const begun = recordsIn(record, 'begun').flatMap((one) => {
    const [id, text] = [stringIn(one, 'id'), stringIn(one, 'text')];
    if (id === undefined || text === undefined) return [];
    return [Number.isSafeInteger(one.offset) ? { id, text, offset: Number(one.offset) } : { id, text }];
  });
  return { transcript, inode: Number(inode), offset: Number(offset), begun, pid: Number(pid), alive };
}
