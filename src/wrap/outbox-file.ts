/**
 * One file of the outbox: lines that are added at its end, read once in their order, and wanted until a
 * relay has all of them. docs/protocol.md §5 (P12, P15, P21).
 */
import { constants } from 'node:fs';
import { systemCode } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { SpilledSend } from '../client/spill.ts';
import { LineCount } from './line-count.ts';
import { MAX_FILE_BYTES } from './outbox-directory.ts';
import type { OutboxGround } from './outbox-ground.ts';
import { decodeLine, encodeLine, splitLines } from './outbox-line.ts';

/** Errors that say nothing of the file. */
const PASSING: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOMEM']);

/** What the files of one wrapper share. */
export interface OutboxShared {
  ground: OutboxGround;
  /** Still to be read in all files. */
  waiting: LineCount;
  /** So many messages were on disk and cannot be read any more. */
  damaged: (messages: number, path: string) => void;
  log: Log;
}

/** Where a SEND lies. */
export interface OutboxPlace {
  file: OutboxFile;
  bytes: number;
}

export class OutboxFile {
  readonly name: string;
  readonly #shared: OutboxShared;
  /** Of this wrapper. */
  readonly #own: boolean;
  /** Bytes that it has on disk; more are #pending. */
  #written = 0;
  readonly #pending: Buffer[] = [];
  /** Bytes it will have. */
  #end = 0;
  /** Where the first line begins that is still to be read, if there is one. */
  #offset = 0;
  /** Lines still to be read; and those that are with the outbox. */
  readonly #unread = new LineCount();
  readonly #held = new LineCount();
  /** Has a line that was never tried. */
  #untried = false;
  /** Where an earlier session marked all before as tried, and when. */
  readonly #marks: { at: number; ms: number }[] = [];
  #damaged = false;
  /** It is on disk; it is wanted no more. */
  #made = false;
  #gone = false;

  constructor(shared: OutboxShared, name: string, own: boolean) {
    this.#shared = shared;
    this.name = name;
    this.#own = own;
  }

  /** A file that an earlier session left; what lies in it is not `waiting` yet. Throws if it is not ours. */
  static async left(shared: OutboxShared, name: string): Promise<OutboxFile> {
    const file = new OutboxFile(shared, name, false);
    await file.#scan();
    return file;
  }

  /** Takes more lines. */
  get open(): boolean {
    return this.#own && this.#end < this.#shared.ground.fileBytes;
  }

  /** Still to be read. */
  get unread(): Readonly<Pick<LineCount, 'lines' | 'bytes'>> {
    return this.#unread;
  }

  /** Has lines that are not on disk yet. */
  get due(): boolean {
    return this.#pending.length > 0 && !this.#gone;
  }

  /** Adds a SEND that the outbox has, too. */
  copy(frame: Buffer, triedAt: number): OutboxPlace {
    this.#append(frame, triedAt);
    this.#offset = this.#end;
    this.#held.add(1, frame.length);
    return { file: this, bytes: frame.length };
  }

  /** Adds a SEND that is to be read in its turn. */
  push(frame: Buffer, triedAt: number): void {
    this.#append(frame, triedAt);
    this.#waits(1, frame.length);
  }

  /** A SEND of so many bytes, with the outbox until now, is done with. */
  release(bytes: number): void {
    this.#held.add(-1, -bytes);
  }

  /** What the outbox had is to be read again, with all the rest. */
  returned(): void {
    const { lines, bytes } = this.#held;
    this.#held.add(-lines, -bytes);
    this.#waits(lines, bytes);
    this.#offset = 0;
  }

  /** Adds a mark, if there are lines that were never tried, and says so. */
  tried(now: number): boolean {
    if (!this.#untried) return false;
    this.#untried = false;
    this.#put(encodeLine(now));
    return true;
  }

  /** Brings to the disk what is due. Throws when the disk refuses it: then it is due again. */
  async write(): Promise<void> {
    const { directory } = this.#shared.ground;
    const lines = this.#pending.splice(0);
    try {
      const bytes = Buffer.concat(lines);
      const flags = this.#made ? 0 : constants.O_CREAT | constants.O_EXCL;
      directory.prepare();
      await directory.with(this.name, constants.O_WRONLY | flags, async (handle) => {
        this.#made = true;
        for (let at = 0; at < bytes.length; ) {
          const { bytesWritten } = await handle.write(bytes, at, bytes.length - at, this.#written + at);
          at += bytesWritten;
        }
      });
      this.#written += bytes.length;
    } catch (error) {
      this.#pending.unshift(...lines);
      throw error;
    }
  }

  /** Hands on the lines that are still to be read, if there are some. Throws when it may be tried again. */
  async read(taken: (sends: readonly SpilledSend[]) => void): Promise<boolean> {
    const offset = this.#offset;
    const end = this.#end;
    const { lines: count, bytes: size } = this.#unread;
    let bytes: Buffer = Buffer.alloc(0);
    try {
      if (this.#written > offset) bytes = await this.#bytes(offset);
    } catch (error) {
      this.#shared.log.error('outbox.unreadable', { path: this.name, error });
      if (PASSING.has(systemCode(error) ?? '')) throw error;
    }
    // What the disk has refused is in memory still, with what the outbox has a copy of.
    const refused = Buffer.concat(this.#pending).subarray(Math.max(0, offset - this.#written));
    const { lines } = splitLines(Buffer.concat([bytes, refused]));
    const sends: SpilledSend[] = [];
    for (const { at, line } of lines) {
      if (offset + at >= end) break;
      const { send, frame, triedAt = 0 } = decodeLine(line, true) ?? {};
      if (send === undefined || frame === undefined) continue;
      const mark = this.#marks.find((each) => each.at > offset + at);
      const place: OutboxPlace = { file: this, bytes: frame.length };
      this.#held.add(1, frame.length);
      sends.push({ id: send.id, to: send.to ?? '*', frame, triedAt: triedAt || (mark?.ms ?? 0), place });
    }
    this.#offset = end;
    this.#lost(count - sends.length);
    this.#waits(-count, -size);
    if (sends.length > 0) taken(sends);
    return sends.length > 0;
  }

  /** Nobody needs it any more: true, once, and then it is to be removed. */
  retire(): boolean {
    if (this.#held.lines > 0 || this.#unread.lines > 0 || this.#gone) return false;
    this.#gone = true;
    return true;
  }

  /** Takes it off the disk; what is damaged is put aside for the person. */
  async remove(): Promise<void> {
    if (!this.#made) return;
    const { directory } = this.#shared.ground;
    if (this.#damaged) await directory.putAside(this.name);
    else await directory.remove(this.name);
  }

  #append(frame: Buffer, triedAt: number): void {
    if (triedAt === 0) this.#untried = true;
    this.#put(encodeLine(triedAt, frame));
  }

  #put(line: Buffer): void {
    this.#pending.push(line);
    this.#end += line.length;
  }

  #waits(lines: number, bytes: number): void {
    this.#unread.add(lines, bytes);
    this.#shared.waiting.add(lines, bytes);
  }

  async #scan(): Promise<void> {
    this.#made = true;
    this.#written = MAX_FILE_BYTES;
    const bytes = await this.#bytes(0);
    const { lines, torn } = splitLines(bytes);
    this.#written = bytes.length - torn;
    this.#end = this.#written;
    let damaged = 0;
    for (const { at, line } of lines) {
      const found = decodeLine(line, false);
      if (found === undefined) damaged++;
      else if (found.bytes === 0) this.#marks.push({ at, ms: found.triedAt });
      else this.#unread.add(1, found.bytes);
      if (found !== undefined) this.#untried = found.bytes > 0;
    }
    this.#lost(damaged);
  }

  async #bytes(offset: number): Promise<Buffer> {
    return this.#shared.ground.directory.with(this.name, constants.O_RDONLY, async (handle, size) => {
      const bytes = Buffer.alloc(Math.max(0, Math.min(this.#written, size) - offset));
      const { bytesRead } = await handle.read(bytes, 0, bytes.length, offset);
      return bytes.subarray(0, bytesRead);
    });
  }

  #lost(messages: number): void {
    if (messages <= 0) return;
    const { ground, damaged, log } = this.#shared;
    this.#damaged = true;
    log.error('outbox.damaged', { path: this.name, messages });
    damaged(messages, ground.directory.at(this.name));
  }
}
