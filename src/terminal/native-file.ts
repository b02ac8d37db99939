/**
 * The native part of the PTY library as a file: a single executable carries it inside, and the system's
 * loader takes only files. It is written once to a directory that is ours alone, and read back before each
 * use, so that neither another user's file nor a damaged one is ever loaded. terminal.md §5.
 */
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { RelayError, systemCode } from '../base/errors.ts';

/** Loaded only by an executable, which needs it: 3 ms of every other start. */
const crypto = () => process.getBuiltinModule('node:crypto');

/** Where the file may lie, the best place first: a home may be read-only, as in many containers. */
export function nativeDirectories(env: Readonly<Record<string, string | undefined>>, uid: number): string[] {
  const absolute = (path: string | undefined) => (path?.startsWith('/') ? path : undefined);
  const home = absolute(env.HOME);
  const cache = absolute(env.XDG_CACHE_HOME) ?? (home === undefined ? undefined : join(home, '.cache'));
  return [
    ...(cache === undefined ? [] : [join(cache, 'agent-wrap/native')]),
    join(tmpdir(), `agent-wrap-${uid}`),
  ];
}

/**
 * Gives `use` the path of a file that holds exactly `bytes`, from the first directory where that works
 * and `use` does not throw (a file system may be mounted noexec). Throws PTY_FAILED with every reason.
 */
export function useNativeFile<T>(
  bytes: Buffer,
  directories: readonly string[],
  uid: number,
  use: (path: string) => T,
): T {
  const reasons: string[] = [];
  for (const directory of directories) {
    try {
      return use(placeNative(bytes, directory, uid));
    } catch (error) {
      reasons.push(`${directory}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  throw new RelayError('PTY_FAILED', `the PTY library cannot be unpacked: ${reasons.join('; ')}`, {
    suggestion: 'set XDG_CACHE_HOME to a directory of your own that is not mounted noexec',
  });
}

/** The path of a file in `directory` with exactly these bytes, written if need be. Throws if it is unsafe. */
export function placeNative(bytes: Buffer, directory: string, uid: number): string {
  mkdirSync(dirname(directory), { recursive: true });
  try {
    mkdirSync(directory, { mode: 0o700 });
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
  }
  const stat = lstatSync(directory);
  if (!stat.isDirectory() || stat.uid !== uid || (stat.mode & 0o077) !== 0) {
    throw new Error('it is not a directory of ours alone (mode 700)');
  }
  const path = join(directory, `pty-${crypto().createHash('sha256').update(bytes).digest('hex')}.node`);
  if (holds(path, bytes, uid)) return path;
  const temporary = join(directory, `.new-${process.pid}-${crypto().randomBytes(8).toString('hex')}`);
  try {
    writeFileSync(temporary, bytes, { flag: 'wx', mode: 0o600 });
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  return path;
}

/** Whether a file of ours, which nobody else can write, holds exactly these bytes. */
function holds(path: string, bytes: Buffer, uid: number): boolean {
  let fd: number;
  try {
    // Neither through a link nor waiting at a pipe.
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ELOOP') return false;
    throw error;
  }
  try {
    const stat = fstatSync(fd);
    const ours = stat.isFile() && stat.uid === uid && (stat.mode & 0o022) === 0;
    return ours && stat.size === bytes.length && readFileSync(fd).equals(bytes);
  } finally {
    closeSync(fd);
  }
}
