/**
 * The few file operations the store is built on, as an interface, so that the same store runs on a
 * simulated disk that forgets, tears and fails. Names are plain names within one directory.
 */
import {
  closeSync,
  constants,
  fdatasync,
  fstatSync,
  fsync,
  ftruncate,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  read as readFd,
  unlinkSync,
  write as writeFd,
  writeSync,
} from 'node:fs';
import { rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { RelayError } from '../../base/errors.ts';

/** Inside the relay directory (P19), so that sockets and store cannot come apart. */
export const STORE_DIRECTORY = 'store';

export interface OpenFile {
  /** Writes at `offset`; may write less than asked (a disk that fills up). Resolves with the bytes written. */
  write(bytes: Buffer, offset: number): Promise<number>;
  /** Reads into `into` from `offset` on; resolves with the bytes read, 0 at the end. */
  read(into: Buffer, offset: number): Promise<number>;
  /** What was written survives a power cut once this resolves. Never call it again after it failed. */
  sync(): Promise<void>;
  truncate(length: number): Promise<void>;
  size(): Promise<number>;
  /** Whether this very file lies under `name`: false once somebody has swept or moved it, or its directory. */
  isAt(name: string): boolean;
  /** Twice is fine. */
  close(): Promise<void>;
}

export interface Files {
  /** A new empty file, 0600, for reading and writing; EEXIST if the name is taken, by a link too. */
  create(name: string): Promise<OpenFile>;
  /** An existing plain file, for reading only; follows no link. */
  open(name: string): Promise<OpenFile>;
  list(): Promise<string[]>;
  /** Gives the file `from` the name `to` instead, at once; EEXIST if that is taken. */
  publish(from: string, to: string): Promise<void>;
  /** Like `publish`, but replaces what is there. */
  rename(from: string, to: string): Promise<void>;
  unlink(name: string): Promise<void>;
  /** Names given and taken so far survive a power cut once this resolves. */
  syncNames(): Promise<void>;
}

const DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY;
const CREATE = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
// O_NONBLOCK: a FIFO that lies there must not hold a thread of the pool for ever.
const READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Bytes up to which a write is done on this thread. */
const SMALL_WRITE_BYTES = 64 * 1024;

const writeAsync = promisify(writeFd);
const readAsync = promisify(readFd);
const fdatasyncAsync = promisify(fdatasync);
const fsyncAsync = promisify(fsync);
const ftruncateAsync = promisify(ftruncate);

class DiskFile implements OpenFile {
  #fd: number | undefined;
  readonly #directory: string;
  #stat: { dev: number; ino: number } | undefined;

  constructor(fd: number, directory: string) {
    this.#fd = fd;
    this.#directory = directory;
  }

  get #open(): number {
    if (this.#fd === undefined) throw new RelayError('INTERNAL', 'a closed file was used');
    return this.#fd;
  }

  // On this thread: it goes to the page cache in 2 µs, the pool costs 30 µs (docs/store.md "Figures").
  async write(bytes: Buffer, offset: number): Promise<number> {
    if (bytes.length <= SMALL_WRITE_BYTES) return writeSync(this.#open, bytes, 0, bytes.length, offset);
    return (await writeAsync(this.#open, bytes, 0, bytes.length, offset)).bytesWritten;
  }

  async read(into: Buffer, offset: number): Promise<number> {
    return (await readAsync(this.#open, into, 0, into.length, offset)).bytesRead;
  }

  // In the pool: it may take as long as the disk likes, and the person's terminal must not wait for it.
  // fdatasync also writes the length, which is all of the metadata that reading needs.
  async sync(): Promise<void> {
    await fdatasyncAsync(this.#open);
  }

  async truncate(length: number): Promise<void> {
    await ftruncateAsync(this.#open, length);
  }

  async size(): Promise<number> {
    return fstatSync(this.#open).size;
  }

  isAt(name: string): boolean {
    this.#stat ??= fstatSync(this.#open);
    const there = lstatSync(join(this.#directory, name), { throwIfNoEntry: false });
    return there?.ino === this.#stat.ino && there.dev === this.#stat.dev;
  }

  async close(): Promise<void> {
    if (this.#fd === undefined) return;
    const fd = this.#fd;
    this.#fd = undefined;
    closeSync(fd);
  }
}

/** The real files of `directory`, which is made (0700) unless `make` is false; it may not be a link. */
export function diskFiles(directory: string, options: { make?: boolean } = {}): Files {
  if (options.make !== false) mkdirSync(directory, { recursive: true, mode: 0o700 });
  if (!lstatSync(directory).isDirectory()) {
    throw new RelayError('DIRECTORY_UNSAFE', `${directory} is not a directory`);
  }
  const at = (name: string) => join(directory, name);
  // Names are looked at and given on this thread, as those of the sockets are (leadership.ts): a takeover waits
  // for one after the other, and on a busy machine each way to the pool and back takes a millisecond. Taken away
  // they are in the pool, where the blocks of a long file are freed.
  return {
    create: async (name) => new DiskFile(openSync(at(name), CREATE, 0o600), directory),
    open: async (name) => {
      const fd = openSync(at(name), READ);
      if (fstatSync(fd).isFile()) return new DiskFile(fd, directory);
      closeSync(fd);
      throw new RelayError('FILE_UNREADABLE', `${at(name)} is not a plain file`);
    },
    list: async () => readdirSync(directory),
    publish: async (from, to) => {
      linkSync(at(from), at(to));
      unlinkSync(at(from));
    },
    rename: (from, to) => rename(at(from), at(to)),
    unlink: (name) => unlink(at(name)),
    syncNames: async () => {
      const fd = openSync(directory, DIRECTORY);
      try {
        await fsyncAsync(fd);
      } finally {
        closeSync(fd);
      }
    },
  };
}

/** Waits for all, then throws what the first of them threw: nobody closes a file that is being synced. */
export async function allDone(waiting: readonly (Promise<unknown> | undefined)[]): Promise<void> {
  for (const one of await Promise.allSettled(waiting)) if (one.status === 'rejected') throw one.reason;
}

/** Writes all of `bytes` at `offset`, however short the single writes are. Throws what the disk throws. */
export async function writeAll(file: OpenFile, bytes: Buffer, offset: number): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const written = await file.write(at === 0 ? bytes : bytes.subarray(at), offset + at);
    if (written <= 0) throw new RelayError('STORE_FAILED', 'the disk took nothing and gave no reason');
    at += written;
  }
}

/** Reads `length` bytes at `offset`, fewer only where the file ends. */
export async function readAt(file: OpenFile, offset: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(length);
  let have = 0;
  while (have < length) {
    const read = await file.read(bytes.subarray(have), offset + have);
    if (read === 0) break;
    have += read;
  }
  return bytes.subarray(0, have);
}
