/** Where a relay lives: one directory, 0700, ours, reached through no link. docs/protocol.md §Daemon (P19). */
import { lstatSync, mkdirSync, statfsSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { RelayError, systemCode } from './errors.ts';

export interface DirectoryEnvironment {
  env: Readonly<Record<string, string | undefined>>;
  uid: number;
  hostname: string;
}

export const directoryEnvironment = (env: DirectoryEnvironment['env']): DirectoryEnvironment => ({
  env,
  uid: process.getuid?.() ?? 0,
  hostname: hostname(),
});

/** Two directories, the relay's inside the one of all relays: both must be ours alone. */
export interface RelayDirectory {
  root: string;
  path: string;
}

/** Where the relay of `namespace` may live, the best place first. */
export function relayDirectories(
  namespace: string,
  { env, uid, hostname }: DirectoryEnvironment,
): RelayDirectory[] {
  const absolute = (path: string | undefined) => (path?.startsWith('/') ? path : undefined);
  const home = absolute(env.HOME);
  const state = absolute(env.XDG_STATE_HOME) ?? (home === undefined ? undefined : join(home, '.local/state'));
  const runtime = absolute(env.XDG_RUNTIME_DIR);
  const roots = [
    ...(state === undefined ? [] : [join(state, 'agent-relay')]),
    ...(runtime === undefined ? [] : [join(runtime, 'agent-relay')]),
    `/tmp/agent-relay-${uid}`,
  ];
  const host = hostname.replace(/[^A-Za-z0-9.-]/g, '-').slice(0, 64) || 'localhost';
  return roots.map((root) => ({ root, path: join(root, `${namespace}@${host}`) }));
}

/** Codes that say: not here, but perhaps at the next place. */
const UNUSABLE = new Set([
  'EACCES',
  'EPERM',
  'EROFS',
  'ENOENT',
  'ENOTDIR',
  'ENOSPC',
  'EDQUOT',
  'ENAMETOOLONG',
]);

/**
 * Makes the directory if it is not there. False when it cannot be made here, or lies on a network file
 * system. Throws DIRECTORY_UNSAFE when it is there and is not ours alone.
 */
export function prepareDirectory({ root, path }: RelayDirectory, uid: number): boolean {
  try {
    mkdirSync(join(root, '..'), { recursive: true });
    for (const each of [root, path]) preparePrivate(each, uid);
    return !isNetworkFileSystem(path);
  } catch (error) {
    if (UNUSABLE.has(systemCode(error) ?? '')) return false;
    throw error;
  }
}

/** Where a wrapper keeps what is its own: in the first of the relay's directories that can be made. */
export function wrapperDirectory(
  namespace: string,
  environment: DirectoryEnvironment,
  kind: 'heard' | 'outbox',
): string {
  for (const place of relayDirectories(namespace, environment)) {
    if (prepareDirectory(place, environment.uid)) return join(place.path, kind);
  }
  throw new RelayError('DIRECTORY_UNSAFE', 'no directory for the relay can be made');
}

/** Makes one directory with mode 0700. Throws DIRECTORY_UNSAFE when it is there and is not ours alone. */
export function preparePrivate(path: string, uid: number): void {
  makePrivate(path);
  checkOurs(path, uid);
}

function makePrivate(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
  }
}

function checkOurs(path: string, uid: number): void {
  const stat = lstatSync(path);
  const wrong = stat.isSymbolicLink()
    ? 'is a symbolic link'
    : !stat.isDirectory()
      ? 'is not a directory'
      : stat.uid !== uid
        ? `belongs to user ${stat.uid}`
        : undefined;
  if (wrong !== undefined) throw new RelayError('DIRECTORY_UNSAFE', `${path} ${wrong}`);
  if ((stat.mode & 0o077) === 0) return;
  const mode = (stat.mode & 0o777).toString(8);
  throw new RelayError('DIRECTORY_UNSAFE', `${path} can be used by others (mode ${mode})`, {
    // To remove it would lose what waits in it.
    suggestion: `if nobody else was in it: chmod 700 ${path}`,
  });
}

/** `statfs` types of file systems that machines share: a socket there leads to one of them only. */
const NETWORK_TYPES = new Set([
  0x6969, // NFS
  0x517b, // SMB
  0xff534d42, // CIFS
  0xfe534d42, // SMB2
  0x5346414f, // AFS
  0x00c36400, // Ceph
]);

function isNetworkFileSystem(path: string): boolean {
  return process.platform === 'linux' && NETWORK_TYPES.has(statfsSync(path).type >>> 0);
}
