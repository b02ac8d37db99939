/** The names in the relay's directory, as leadership and the fence need them: this machine's, or simulated ones. */
import {
  chmodSync,
  linkSync,
  lstatSync,
  readdirSync,
  readlinkSync,
  renameSync,
  symlinkSync,
  unlinkSync,
} from 'node:fs';

/** What tells one file from another, and when it was changed last (wall clock, ms). */
export interface FileStat {
  readonly dev: number;
  readonly ino: number;
  readonly mtimeMs: number;
  isSymbolicLink(): boolean;
}

/** The names of sockets and links. Each throws an error with the system's code, as the function of node:fs. */
export interface SocketFiles {
  /** Of a link itself; undefined if nothing is there. */
  lstat(path: string): FileStat | undefined;
  list(directory: string): string[];
  chmod(path: string, mode: number): void;
  link(from: string, to: string): void;
  readlink(path: string): string;
  rename(from: string, to: string): void;
  symlink(target: string, path: string): void;
  unlink(path: string): void;
}

export const socketFiles: SocketFiles = {
  lstat: (path) => lstatSync(path, { throwIfNoEntry: false }),
  list: readdirSync as (directory: string) => string[],
  chmod: chmodSync,
  link: linkSync,
  readlink: readlinkSync as (path: string) => string,
  rename: renameSync,
  symlink: symlinkSync,
  unlink: unlinkSync,
};
