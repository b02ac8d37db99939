/**
 * A recording on disk (asciicast v2), written event by event with no buffer of ours: what happened is in
 * the file even when this process is killed. A disk that takes no more ends the recording, nothing else.
 */
import { closeSync, constants, ftruncateSync, openSync, writeSync } from 'node:fs';
import type { Clock } from '../base/clock.ts';
import { RelayError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { type CastHeader, CastWriter } from './cast.ts';

export interface CastFileOptions {
  path: string;
  header: Omit<CastHeader, 'version' | 'timestamp'>;
  /** Replace a file that is there; else it is an error. */
  overwrite?: boolean;
  clock: Clock;
  log: Log;
}

export class CastFile {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #startedAt: number;
  readonly #writer: CastWriter;
  #fd: number | undefined;
  /** Bytes of whole lines in the file. */
  #length = 0;

  /** Creates the file (mode 0600) with its header. Throws FILE_UNWRITABLE. */
  constructor({ path, header, overwrite = false, clock, log }: CastFileOptions) {
    this.#path = path;
    this.#clock = clock;
    this.#log = log;
    this.#startedAt = clock.monotonic();
    const { O_WRONLY, O_CREAT, O_EXCL, O_TRUNC } = constants;
    try {
      this.#fd = openSync(path, O_WRONLY | O_CREAT | (overwrite ? O_TRUNC : O_EXCL), 0o600);
    } catch (cause) {
      throw new RelayError('FILE_UNWRITABLE', `cannot record to ${path}: ${(cause as Error).message}`, {
        suggestion: 'choose another path; a file that is there is not overwritten',
        cause,
      });
    }
    const timestamp = Math.floor(clock.now() / 1000);
    this.#writer = new CastWriter({ version: 2, timestamp, ...header }, (line) => this.#write(line));
  }

  output(chunk: Buffer): void {
    if (this.#fd !== undefined) this.#writer.bytes(this.#seconds(), 'o', chunk);
  }

  input(chunk: Buffer): void {
    if (this.#fd !== undefined) this.#writer.bytes(this.#seconds(), 'i', chunk);
  }

  resize(cols: number, rows: number): void {
    if (this.#fd !== undefined) this.#writer.resize(this.#seconds(), cols, rows);
  }

  /** Twice is fine. */
  close(): void {
    if (this.#fd === undefined) return;
    this.#writer.end(this.#seconds());
    this.#end();
  }

  /** Microseconds are enough, and lines stay short. */
  #seconds(): number {
    return Math.round((this.#clock.monotonic() - this.#startedAt) * 1000) / 1_000_000;
  }

  #write(line: string): void {
    if (this.#fd === undefined) return;
    const bytes = Buffer.from(line);
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#fd, bytes, at, bytes.length - at);
      this.#length += bytes.length;
    } catch (error) {
      this.#log.error('record.stopped', { path: this.#path, error });
      this.#cutToWholeLines(this.#fd);
      this.#end();
    }
  }

  /** A disk that was full has taken part of a line: no player could read it. */
  #cutToWholeLines(fd: number): void {
    try {
      ftruncateSync(fd, this.#length);
    } catch {
      // It is a pipe or a device: nothing to cut.
    }
  }

  #end(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }
}
