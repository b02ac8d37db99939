// Loaded into real processes (NODE_OPTIONS=--require, disk.ts): lets the disk below the store fail as the
// order says, and keeps a ledger of what was synced. The product knows nothing of it.
const fs = require('node:fs');
const { syncBuiltinESMExports } = require('node:module');
const { basename, dirname, join } = require('node:path');

const { closeSync, fstatSync, openSync, readdirSync, readFileSync, readlinkSync, statSync, writeSync } = fs;
const folder = process.env.FAULT_DISK;

/** What is to happen now; see `DiskOrder` in disk.ts. */
function order() {
  try {
    const given = JSON.parse(readFileSync(join(folder, 'order.json'), 'utf8'));
    return given.pid === undefined || given.pid === process.pid ? given : {};
  } catch {
    return {};
  }
}

function note(line) {
  const fd = openSync(join(folder, 'ledger'), 'a');
  writeSync(fd, `${JSON.stringify({ pid: process.pid, ...line })}\n`);
  closeSync(fd);
}

/** The path of an open file if it is the store or lies in it. */
function inStore(fd) {
  try {
    const path = readlinkSync(`/proc/self/fd/${fd}`);
    return basename(path) === 'store' || basename(dirname(path)) === 'store' ? path : undefined;
  } catch {
    return undefined;
  }
}

const failure = (code, call) =>
  Object.assign(new Error(`${code}: injected, ${call}`), { code, syscall: call });

/** How many of `length` bytes may be written at `at`; throws what the disk would. */
function allowed(fd, path, length, at) {
  const { write, room } = order();
  if (write !== undefined) {
    note({ failed: 'write', ino: fstatSync(fd).ino });
    throw failure(write, 'write');
  }
  if (room === undefined) return length;
  const store = dirname(path);
  const used = readdirSync(store).reduce((sum, name) => sum + statSync(join(store, name)).size, 0);
  // What the file has already needs no room.
  const most = Math.max(0, fstatSync(fd).size - at) + Math.max(0, room - used);
  if (most > 0) return Math.min(length, most);
  note({ failed: 'full', ino: fstatSync(fd).ino });
  throw failure('ENOSPC', 'write');
}

/** Of each file, by inode, where what was written ends, zeros ahead of it left out. */
const ends = new Map();

function put(fd, path, bytes, position) {
  const { ino, size } = fstatSync(fd);
  const at = typeof position === 'number' ? position : size;
  const written = writeSync(fd, bytes, 0, allowed(fd, path, bytes.length, at), at);
  if (bytes.subarray(0, written).some((byte) => byte !== 0)) {
    ends.set(ino, Math.max(ends.get(ino) ?? 0, at + written));
  }
  return written;
}

/** What a sync that succeeds will have made safe; throws what the disk would. */
function syncing(fd, path) {
  const { sync } = order();
  const { ino, size } = fstatSync(fd);
  if (sync !== undefined) {
    note({ failed: 'sync', ino });
    throw failure(sync, 'fsync');
  }
  if (basename(path) !== 'store') return { ino, size, end: Math.min(size, ends.get(ino) ?? 0) };
  return {
    names: Object.fromEntries(readdirSync(path).map((name) => [name, statSync(join(path, name)).ino])),
  };
}

const bytesOf = (buffers) => Buffer.concat(Array.isArray(buffers) ? buffers : [buffers]);

for (const name of ['writeSync', 'writevSync']) {
  const real = fs[name];
  fs[name] = (fd, data, ...rest) => {
    const path = inStore(fd);
    if (path === undefined || typeof data === 'string') return real(fd, data, ...rest);
    if (name === 'writevSync') return put(fd, path, bytesOf(data), rest[0]);
    const [offset = 0, length = data.length - offset, position] = rest;
    return put(fd, path, data.subarray(offset, offset + length), position);
  };
}
for (const name of ['write', 'writev']) {
  const real = fs[name];
  fs[name] = (fd, data, ...rest) => {
    const done = rest.at(-1);
    try {
      if (inStore(fd) === undefined || typeof data === 'string') return real(fd, data, ...rest);
      const written = fs[`${name}Sync`](fd, data, ...rest.slice(0, -1));
      setImmediate(() => done(null, written, data));
    } catch (error) {
      setImmediate(() => done(error));
    }
  };
  fs[name][require('node:util').promisify.custom] = (...args) =>
    new Promise((resolve, reject) =>
      fs[name](...args, (error, bytesWritten) => (error ? reject(error) : resolve({ bytesWritten }))),
    );
}
for (const name of ['fdatasync', 'fsync']) {
  const real = fs[name];
  fs[name] = (fd, done) => {
    const path = inStore(fd);
    if (path === undefined) return real(fd, done);
    let safe;
    try {
      safe = syncing(fd, path);
    } catch (error) {
      return void setImmediate(() => done(error));
    }
    real(fd, (error) => {
      if (error) return done(error);
      // A slow disk: a promise that does not wait for it would be seen before the ledger's line.
      setTimeout(() => {
        note(safe);
        done(null);
      }, order().slowMs ?? 0);
    });
  };
  const realSync = fs[`${name}Sync`];
  fs[`${name}Sync`] = (fd) => {
    const path = inStore(fd);
    const safe = path === undefined ? undefined : syncing(fd, path);
    realSync(fd);
    if (safe !== undefined) note(safe);
  };
}
syncBuiltinESMExports();
