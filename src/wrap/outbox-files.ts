/**
 * The outbox on disk: files of one wrapper, `<name>.<ms>-<pid>-<n>`, mode 0600, in the relay's directory,
 * each removed when a relay has all of it. What a wrapper leaves, killed or not, the next of its name
 * sends. Without a disk all works but that. docs/protocol.md §5 (P12, P15, P21).
 */
import { constants } from 'node:fs';
import { type FileHandle, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode } from '../base/errors.ts';
import { isAlive } from '../base/is-alive.ts';
import type { Log } from '../base/log.ts';
import { preparePrivate } from '../base/paths.ts';
import type { Spill, SpilledSend, SpillPlace } from '../client/spill.ts';
import { MAX_FRAME_BYTES, OUTBOX_FILE_BYTES } from '../protocol/limits.ts';
import { decodeLine, encodeLine, splitLines } from './outbox-line.ts';

/** A line of the longest frame can follow where the limit is not reached; no file of ours is longer. */
const MAX_FILE_BYTES = 2 * (OUTBOX_FILE_BYTES + MAX_FRAME_BYTES);

/** A link is not followed, and a FIFO does not block. */
const SAFELY = constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Errors that say nothing of the file. */
const PASSING: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOMEM']);

export interface OutboxFilesOptions {
  /** Where the files lie; its parent exists and is ours alone. May throw: then there is no disk. */
  directory: () => string;
  /** The agent. */
  name: string;
  uid: number;
  /** The wall clock, ms. */
  now: () => number;
  /** So many messages were on disk and cannot be read any more. */
  damaged: (messages: number, path: string) => void;
  log: Log;
}

interface OutboxFile {
  path: string;
  /** Bytes that it has on disk; more are `pending`. */
  written: number;
  pending: Buffer[];
  /** Bytes it will have. */
  end: number;
  /** Where the first line begins that is still to be read, if there is one. */
  offset: number;
  /** Lines still to be read; and those that are with the outbox. */
  unread: { lines: number; bytes: number };
  held: { lines: number; bytes: number };
  /** Has a line that was never tried. */
  untried: boolean;
  /** Where an earlier session marked all before as tried, and when. */
  marks: { at: number; ms: number }[];
  damaged: boolean;
  /** Of this wrapper. */
  own: boolean;
  /** It is on disk; it is wanted no more. */
  made: boolean;
  gone: boolean;
}

interface Place {
  file: OutboxFile;
  bytes: number;
}

export class OutboxFiles implements Spill {
  readonly #options: OutboxFilesOptions;
  readonly #stamp: string;
  #files: OutboxFile[] = [];
  #count = 0;
  #directory: string | undefined;
  #waiting = 0;
  #waitingBytes = 0;
  #sound = true;
  #due = false;
  /** One thing after the other is done to the files. */
  #queue: Promise<unknown> = Promise.resolve();

  constructor(options: OutboxFilesOptions) {
    this.#options = options;
    this.#stamp = `${String(options.now()).padStart(13, '0')}-${process.pid}`;
    try {
      this.#directory = options.directory(); // Later the relay's place may be unusable.
    } catch (error) {
      options.log.info('outbox.no-place', { error });
    }
  }

  get waiting(): number {
    return this.#waiting;
  }

  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  get sound(): boolean {
    return this.#sound;
  }

  copy(frame: Buffer, triedAt: number): SpillPlace {
    const file = this.#append(encodeLine(triedAt, frame), triedAt === 0);
    file.offset = file.end;
    add(file.held, 1, frame.length);
    return { file, bytes: frame.length } satisfies Place;
  }

  push(frame: Buffer, triedAt: number): void {
    const file = this.#append(encodeLine(triedAt, frame), triedAt === 0);
    this.#unread(file, 1, frame.length);
  }

  async take(): Promise<SpilledSend[]> {
    for (;;) {
      const file = this.#files.find(({ unread }) => unread.lines > 0);
      if (file === undefined) return [];
      const sends = await this.#do(() => this.#read(file));
      this.#sweep(file);
      if (sends.length > 0) return sends;
    }
  }

  release(place: SpillPlace): void {
    const { file, bytes } = place as Place;
    add(file.held, -1, -bytes);
    this.#sweep(file);
  }

  tried(now: number): void {
    for (const file of this.#files) {
      if (!file.untried) continue;
      file.untried = false;
      this.#put(file, encodeLine(now));
    }
  }

  async adopt(found: () => void): Promise<void> {
    const left = await this.#do(() => this.#left()).catch((error: unknown) => {
      this.#options.log.warn('outbox.unreadable', { error });
      return [];
    });
    if (left.length === 0) return;
    found();
    for (const file of this.#files) {
      const { lines, bytes } = file.held;
      add(file.held, -lines, -bytes);
      this.#unread(file, lines, bytes);
      file.offset = 0;
    }
    this.#files = [...left, ...this.#files];
    for (const { unread } of left) {
      this.#waiting += unread.lines;
      this.#waitingBytes += unread.bytes;
    }
    this.#options.log.info('outbox.found', { files: left.length, messages: this.#waiting });
  }

  flush(): Promise<void> {
    return this.#do(() => this.#write());
  }

  #append(line: Buffer, untried: boolean): OutboxFile {
    let file = this.#files.at(-1);
    if (file === undefined || file.end >= OUTBOX_FILE_BYTES || !file.own) {
      const number = String(++this.#count).padStart(6, '0');
      file = newFile(`${this.#options.name}.${this.#stamp}-${number}`, true);
      this.#files.push(file);
    }
    if (untried) file.untried = true;
    this.#put(file, line);
    return file;
  }

  #put(file: OutboxFile, line: Buffer): void {
    file.pending.push(line);
    file.end += line.length;
    if (this.#due) return;
    this.#due = true;
    // What is said in one go is written in one go.
    setImmediate(() => {
      this.#due = false;
      void this.flush();
    });
  }

  #unread(file: OutboxFile, lines: number, bytes: number): void {
    add(file.unread, lines, bytes);
    this.#waiting += lines;
    this.#waitingBytes += bytes;
  }

  /** Removes what nobody needs any more; what is damaged is put aside for the person. */
  #sweep(file: OutboxFile): void {
    if (file.held.lines > 0 || file.unread.lines > 0 || file.gone) return;
    this.#files = this.#files.filter((other) => other !== file);
    file.gone = true;
    void this.#do(async () => {
      if (!file.made) return;
      if (file.damaged) await rename(this.#at(file), `${this.#at(file)}.damaged`);
      else await rm(this.#at(file), { force: true });
    }).catch((error: unknown) => this.#options.log.warn('outbox.left', { path: file.path, error }));
  }

  async #write(): Promise<void> {
    for (const file of this.#files) {
      if (file.pending.length === 0 || file.gone) continue;
      const lines = file.pending.splice(0);
      try {
        const bytes = Buffer.concat(lines);
        const flags = file.made ? 0 : constants.O_CREAT | constants.O_EXCL;
        preparePrivate(this.#place, this.#options.uid);
        await this.#with(file, constants.O_WRONLY | flags, async (handle) => {
          file.made = true;
          for (let at = 0; at < bytes.length; ) {
            const { bytesWritten } = await handle.write(bytes, at, bytes.length - at, file.written + at);
            at += bytesWritten;
          }
        });
        file.written += bytes.length;
        this.#sound = true;
      } catch (error) {
        file.pending.unshift(...lines);
        if (this.#sound) this.#options.log.warn('outbox.unwritable', { path: file.path, error });
        this.#sound = false;
        return;
      }
    }
  }

  /** The lines of a file that are still to be read. */
  async #read(file: OutboxFile): Promise<SpilledSend[]> {
    await this.#write();
    const { offset, end } = file;
    const before = { ...file.unread };
    let bytes: Buffer = Buffer.alloc(0);
    try {
      if (file.written > offset) bytes = await this.#bytes(file, offset);
    } catch (error) {
      this.#options.log.error('outbox.unreadable', { path: file.path, error });
      if (PASSING.has(systemCode(error) ?? '')) throw error;
    }
    // What the disk has refused is in memory still.
    const { lines } = splitLines(Buffer.concat([bytes, ...file.pending]));
    const sends: SpilledSend[] = [];
    for (const { at, line } of lines) {
      if (offset + at >= end) break;
      const { send, frame, triedAt = 0 } = decodeLine(line, true) ?? {};
      if (send === undefined || frame === undefined) continue;
      const mark = file.marks.find((each) => each.at > offset + at);
      const place: Place = { file, bytes: frame.length };
      add(file.held, 1, frame.length);
      sends.push({ id: send.id, to: send.to ?? '*', frame, triedAt: triedAt || (mark?.ms ?? 0), place });
    }
    file.offset = end;
    this.#unread(file, -before.lines, -before.bytes);
    const damaged = before.lines - sends.length;
    if (damaged > 0) this.#damaged(file, damaged);
    return sends;
  }

  async #bytes(file: OutboxFile, offset: number): Promise<Buffer> {
    return this.#with(file, constants.O_RDONLY, async (handle, size) => {
      const bytes = Buffer.alloc(Math.max(0, Math.min(file.written, size) - offset));
      const { bytesRead } = await handle.read(bytes, 0, bytes.length, offset);
      return bytes.subarray(0, bytesRead);
    });
  }

  /** The files of wrappers of this name that are gone, the oldest first. */
  async #left(): Promise<OutboxFile[]> {
    const { log, name } = this.#options;
    const names = await readdir(this.#place).catch((error: unknown) => {
      if (systemCode(error) === 'ENOENT') return [];
      throw error;
    });
    const left: OutboxFile[] = [];
    for (const each of names.sort()) {
      const owner = outboxOwner(each);
      if (owner?.name !== name || each.includes(this.#stamp)) continue;
      if (owner.pid !== process.pid && isAlive(owner.pid)) continue;
      try {
        const file = await this.#scan(newFile(each, false));
        if (file.unread.lines > 0) left.push(file);
        else this.#sweep(file);
      } catch (error) {
        log.warn('outbox.refused', { path: each, error });
      }
    }
    return left;
  }

  /** What lies in a file that an earlier session left. */
  async #scan(file: OutboxFile): Promise<OutboxFile> {
    file.made = true;
    file.written = MAX_FILE_BYTES;
    const bytes = await this.#bytes(file, 0);
    const { lines, torn } = splitLines(bytes);
    file.written = bytes.length - torn;
    file.end = file.written;
    let damaged = 0;
    for (const { at, line } of lines) {
      const found = decodeLine(line, false);
      if (found === undefined) damaged++;
      else if (found.bytes === 0) file.marks.push({ at, ms: found.triedAt });
      else add(file.unread, 1, found.bytes);
      if (found !== undefined) file.untried = found.bytes > 0;
    }
    if (damaged > 0) this.#damaged(file, damaged);
    return file;
  }

  #damaged(file: OutboxFile, messages: number): void {
    file.damaged = true;
    this.#options.log.error('outbox.damaged', { path: file.path, messages });
    this.#options.damaged(messages, this.#at(file));
  }

  /** Opens a file, which must be one of ours: no link, nobody else's, no longer than we write. */
  async #with<T>(
    file: OutboxFile,
    flags: number,
    work: (handle: FileHandle, size: number) => Promise<T>,
  ): Promise<T> {
    const handle = await open(this.#at(file), flags | SAFELY, 0o600);
    try {
      const stat = await handle.stat();
      const { uid } = this.#options;
      const ours = stat.isFile() && stat.uid === uid && (stat.mode & 0o077) === 0 && stat.nlink === 1;
      if (!ours || stat.size > MAX_FILE_BYTES) throw new Error('it is not a file of ours');
      return await work(handle, stat.size);
    } finally {
      await handle.close();
    }
  }

  #at(file: OutboxFile): string {
    return join(this.#place, file.path);
  }

  get #place(): string {
    this.#directory ??= this.#options.directory();
    return this.#directory;
  }

  #do<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#queue.then(work);
    this.#queue = done.catch(() => {});
    return done;
  }
}

/** Whose file this is, by its name. */
export function outboxOwner(file: string): { name: string; pid: number } | undefined {
  const [, name = '', pid] = /^(.+)\.\d{13}-(\d{1,10})-\d{6}$/.exec(file) ?? [];
  return pid === undefined ? undefined : { name, pid: Number(pid) };
}

function add(count: { lines: number; bytes: number }, lines: number, bytes: number): void {
  count.lines += lines;
  count.bytes += bytes;
}

function newFile(path: string, own: boolean): OutboxFile {
  return {
    path,
    written: 0,
    pending: [],
    end: 0,
    offset: 0,
    unread: { lines: 0, bytes: 0 },
    held: { lines: 0, bytes: 0 },
    untried: false,
    marks: [],
    damaged: false,
    own,
    made: false,
    gone: false,
  };
}
