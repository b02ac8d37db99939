/** A machine in memory for a host to stand on: nothing of it reaches a disk, and nobody else hears of it. */
import { randomBytes } from 'node:crypto';
import { basename } from 'node:path';
import type { Ground } from './ground.ts';
import type { FileStat, SocketFiles } from './socket-files.ts';
import type { Files, OpenFile } from './store/files.ts';
import { inspectFiles } from './store/open.ts';
import { SegmentLog } from './store/segment-log.ts';

/** @param directory where its hosts stand. */
export function memoryGround(directory: string): Ground {
  const store = memoryFiles();
  return {
    files: memoryNames(directory),
    random: randomBytes,
    listener: () => ({ async listen() {}, serve() {}, async close() {}, end() {} }),
    inspectHost: () => ({ tookOver: true }),
    renewHost() {},
    inspectStore: () => inspectFiles(store),
    openStore: (place) => new SegmentLog({ ...place, files: store }),
    audit: () => () => {},
  };
}

/** Names of sockets and symlinks in one directory that is always there. */
function memoryNames(directory: string): SocketFiles {
  const paths = new Set([directory]);
  const links = new Map<string, string>();
  const file: FileStat = { dev: 0, ino: 0, mtimeMs: 0, isSymbolicLink: () => false };
  const symlink: FileStat = { ...file, isSymbolicLink: () => true };
  return {
    lstat: (path) => (links.has(path) ? symlink : paths.has(path) ? file : undefined),
    list: () => [...paths].map((path) => basename(path)),
    chmod() {},
    link: (_from, to) => void paths.add(to),
    readlink: (path) => links.get(path) ?? '',
    rename(from, to) {
      links.set(to, links.get(from) ?? '');
      links.delete(from);
    },
    symlink: (target, path) => void links.set(path, target),
    unlink: (path) => void paths.delete(path),
  };
}

interface Inode {
  bytes: Buffer;
}

function memoryFiles(): Files {
  const inodes = new Map<string, Inode>();
  const find = (name: string): Inode => {
    const inode = inodes.get(name);
    if (inode === undefined) throw Object.assign(new Error(`ENOENT: ${name}`), { code: 'ENOENT' });
    return inode;
  };
  const move = async (from: string, to: string) => {
    inodes.set(to, find(from));
    inodes.delete(from);
  };
  return {
    async create(name) {
      const inode = { bytes: Buffer.alloc(0) };
      inodes.set(name, inode);
      return memoryFile(inode);
    },
    open: async (name) => memoryFile(find(name)),
    list: async () => [...inodes.keys()],
    publish: move,
    rename: move,
    async unlink(name) {
      inodes.delete(name);
    },
    async syncNames() {},
  };
}

const memoryFile = (inode: Inode): OpenFile => ({
  async write(bytes, offset) {
    const grown = offset + bytes.length - inode.bytes.length;
    if (grown > 0) inode.bytes = Buffer.concat([inode.bytes, Buffer.alloc(grown)]);
    return bytes.copy(inode.bytes, offset);
  },
  read: async (into, offset) => inode.bytes.copy(into, 0, offset),
  async sync() {},
  async truncate(length) {
    inode.bytes = inode.bytes.subarray(0, length);
  },
  size: async () => inode.bytes.length,
  isAt: () => true,
  async close() {},
});
