/** Unix sockets by path, also those whose path is too long for the kernel's 108 bytes. docs/protocol.md §1 (P19). */
import { closeSync, constants, openSync } from 'node:fs';
import { connect, type Server, type Socket } from 'node:net';
import { basename, dirname } from 'node:path';
import { RelayError } from '../base/errors.ts';

/** Bytes a path may have in `sockaddr_un`; Node cuts longer ones without a word. */
const MAX_PATH_BYTES = process.platform === 'linux' ? 107 : 103;

export interface SocketAddress {
  /** What to give to Node. */
  path: string;
  /** Lets go of what the address needs. After connect or, for a server, after its end. Twice is fine. */
  release(): void;
}

/** The address of a socket path. Throws PATH_TOO_LONG where there is no way around the limit. */
export function socketAddress(path: string): SocketAddress {
  if (Buffer.byteLength(path) <= MAX_PATH_BYTES) return { path, release: () => {} };
  if (process.platform !== 'linux') {
    throw new RelayError('PATH_TOO_LONG', `${path} has more than ${MAX_PATH_BYTES} bytes`);
  }
  let fd: number | undefined = openSync(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY);
  return {
    path: `/proc/self/fd/${fd}/${basename(path)}`,
    release() {
      if (fd !== undefined) closeSync(fd);
      fd = undefined;
    },
  };
}

/** Connects to a socket path. Rejects with the system error (ECONNREFUSED, ENOENT, EAGAIN, …). */
export function connectUnix(path: string, signal?: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const address = socketAddress(path);
    const socket = connect({ path: address.path, ...(signal === undefined ? {} : { signal }) });
    socket.once('error', (error) => {
      address.release();
      reject(error);
    });
    socket.once('connect', () => {
      address.release();
      socket.removeAllListeners('error');
      resolve(socket);
    });
  });
}

/** Listens on a socket path; the address is to be released after the server's end. */
export function listenUnix(server: Server, path: string): Promise<SocketAddress> {
  const address = socketAddress(path);
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      address.release();
      reject(error);
    });
    server.listen(address.path, () => {
      server.removeAllListeners('error');
      resolve(address);
    });
  });
}
