/** A disk of 1 MB that fills up: a tmpfs where mounting is allowed. */
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';

/** Mounts a tmpfs of 1 MB at `path`; false where that is refused. `unmount` in any case. */
export const mountSmall = (path: string): boolean =>
  spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m,mode=0700', 'tmpfs', path]).status === 0;

/** Lazily: somebody may still have a file open there. */
export const unmount = (path: string): void => void spawnSync('umount', ['-l', path]);

/** Makes the mounted file system read-only, or writable again; false where that is refused. */
export const remount = (path: string, mode: 'ro' | 'rw'): boolean =>
  spawnSync('mount', ['-o', `remount,${mode}`, path]).status === 0;

/** Somebody else's file takes so many bytes, or gives them back. */
export function fill(path: string, bytes: number): void {
  const file = join(path, 'filler');
  if (bytes === 0) rmSync(file, { force: true });
  else spawnSync('dd', ['if=/dev/zero', `of=${file}`, 'bs=4k', `count=${bytes / 4096}`]); // as much as fits
}
