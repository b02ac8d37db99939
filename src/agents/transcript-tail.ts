/**
 * Follows a transcript (one JSON record a line) while the agent writes it: whole lines only, each once.
 * An agent's own file on disk is read, never written. real-agents.md §6.
 */
import { closeSync, type FSWatcher, fstatSync, openSync, readSync, statSync, watch } from 'node:fs';
import { dirname } from 'node:path';
import type { Clock, Timer } from '../base/clock.ts';
import { systemCode } from '../base/errors.ts';
import type { Log } from '../base/log.ts';

/** Milliseconds between looks where the file system tells us nothing (network mounts, no inotify left). */
const POLL_MS = 200;

/** Bytes of one line: a record with a pasted image fits; a file without line feeds does not fill memory. */
export const MAX_LINE_BYTES = 8 * 1024 * 1024;

/** Bytes read at once. */
const CHUNK_BYTES = 64 * 1024;

/** Bytes read in one go before the event loop gets its turn: the person's keys come first. */
const SLICE_BYTES = 1024 * 1024;

export interface TailOptions {
  clock: Clock;
  log: Log;
  /**
   * `end`: what is in the file already is not ours to repeat. `start`: the file is of this run. A number: an
   * earlier run heard so many bytes of it.
   */
  from: 'start' | 'end' | number;
  /** A whole line, without its line feed; `end`: bytes of the file up to and with it. */
  line(text: string, end: number): void;
}

export class TranscriptTail {
  readonly file: string;
  /** Bytes that the file had when we found it. */
  readonly found: number;
  readonly #options: TailOptions;
  /** Bytes of the file that were read. */
  #position: number;
  #inode: number | undefined;
  /** The beginning of a line whose end is not written yet. */
  #partial: Buffer[] = [];
  #partialBytes = 0;
  /** The line under way is longer than we keep: it is left out to its end. */
  #skipping = false;
  #watcher: FSWatcher | undefined;
  #timer: Timer | undefined;
  #state: 'new' | 'open' | 'closed' = 'new';

  /** Judges at once where the file ends now: what comes later is new. */
  constructor(file: string, options: TailOptions) {
    this.file = file;
    this.#options = options;
    const stat = statSync(file, { throwIfNoEntry: false });
    this.#inode = stat?.ino;
    this.found = stat?.size ?? 0;
    const { from } = options;
    this.#position = from === 'end' ? this.found : from === 'start' ? 0 : from;
  }

  start(): void {
    if (this.#state !== 'new') return;
    this.#state = 'open';
    this.#timer = this.#options.clock.every(POLL_MS, () => this.#tick(), { unref: true });
    this.#tick();
  }

  /** Reads what is there now, as far as it is whole lines. Never throws: a missing file is an empty one. */
  read(): void {
    while (this.#slice() === 'more');
  }

  /** Reads to the end once more, then stops. */
  async close(): Promise<void> {
    if (this.#state === 'closed') return;
    if (this.#state === 'open') this.read();
    this.#state = 'closed';
    this.#timer?.cancel();
    this.#watcher?.close();
  }

  #tick(): void {
    if (this.#state !== 'open') return;
    this.#watch();
    if (this.#slice() === 'more') this.#options.clock.after(0, () => this.#tick(), { unref: true });
  }

  /** A watch makes it prompt; the timer makes it certain. */
  #watch(): void {
    if (this.#watcher) return;
    try {
      // The folder, not the file: it may not exist yet, and may be replaced.
      this.#watcher = watch(dirname(this.file), { persistent: false }, () => this.#tick());
      this.#watcher.on('error', () => this.#watcher?.close());
    } catch {
      // No folder yet, or no watches left: the timer looks.
    }
  }

  #slice(): 'more' | 'done' {
    let fd: number;
    try {
      fd = openSync(this.file, 'r');
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') this.#options.log.debug('transcript-unreadable', { error });
      return 'done';
    }
    try {
      this.#settle(fstatSync(fd));
      const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
      for (let read = 0; read < SLICE_BYTES; ) {
        const bytes = readSync(fd, chunk, 0, CHUNK_BYTES, this.#position);
        if (bytes === 0) return 'done';
        this.#position += bytes;
        read += bytes;
        this.#push(chunk.subarray(0, bytes));
      }
      return 'more';
    } catch (error) {
      this.#options.log.debug('transcript-unreadable', { error });
      return 'done';
    } finally {
      closeSync(fd);
    }
  }

  /** Another file under the name is read from its start; a shortened one was rewritten: from its new end. */
  #settle(stat: { ino: number; size: number }): void {
    const replaced = this.#inode !== undefined && stat.ino !== this.#inode;
    const cut = !replaced && stat.size < this.#position;
    this.#inode = stat.ino;
    if (!replaced && !cut) return;
    this.#options.log.warn('transcript-rewritten', { file: this.file, replaced });
    this.#position = replaced ? 0 : stat.size;
    this.#partial = [];
    this.#partialBytes = 0;
    this.#skipping = false;
  }

  #push(chunk: Buffer): void {
    let from = 0;
    for (;;) {
      const lf = chunk.indexOf(0x0a, from);
      const piece = chunk.subarray(from, lf < 0 ? chunk.length : lf);
      this.#keep(piece);
      if (lf < 0) return;
      from = lf + 1;
      this.#endLine(this.#position - chunk.length + from);
    }
  }

  #keep(piece: Buffer): void {
    if (this.#skipping || piece.length === 0) return;
    this.#partialBytes += piece.length;
    if (this.#partialBytes > MAX_LINE_BYTES) {
      this.#skipping = true;
      this.#partial = [];
      this.#options.log.warn('transcript-line-too-long', { file: this.file, limit: MAX_LINE_BYTES });
      return;
    }
    // A copy: the chunk is read into again.
    this.#partial.push(Buffer.from(piece));
  }

  #endLine(end: number): void {
    const line = this.#skipping ? '' : Buffer.concat(this.#partial).toString();
    this.#partial = [];
    this.#partialBytes = 0;
    this.#skipping = false;
    if (line !== '') this.#options.line(line, end);
  }
}
