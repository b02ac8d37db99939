/** Files in a directory of ours: 0600, whatever the umask is, and no link is followed. docs/security.md (P19). */
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  openSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { RelayError } from './errors.ts';

const { O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_WRONLY } = constants;

/** Appends a text to a file, which is made if need be. Throws what the system throws, and FILE_UNWRITABLE. */
export function appendPrivate(path: string, text: string): void {
  // O_NONBLOCK: a FIFO that lies there must not hold us.
  write(path, O_APPEND | O_CREAT | O_NONBLOCK, text);
}

/** Puts a text in place of what the file held, at once. Throws the same. */
export function replacePrivate(path: string, text: string): void {
  const temporary = `${path}.${process.pid}`;
  rmSync(temporary, { force: true }); // of one who was killed and had our number
  write(temporary, O_CREAT | O_EXCL, text);
  renameSync(temporary, path);
}

function write(path: string, flags: number, text: string): void {
  const fd = openSync(path, O_WRONLY | O_NOFOLLOW | flags, 0o600);
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) throw new RelayError('FILE_UNWRITABLE', `${path} is not a plain file`);
    if ((stat.mode & 0o777) !== 0o600) fchmodSync(fd, 0o600);
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
  } finally {
    closeSync(fd);
  }
}
