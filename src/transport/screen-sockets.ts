/** Where the wrappers of a relay show their agents' screens: one socket each, beside the relay's own. docs/people.md. */
import { chmodSync, unlinkSync } from 'node:fs';
import type { Server } from 'node:net';
import { join } from 'node:path';
import { RelayError, systemCode } from '../base/errors.ts';
import { connectUnix, listenUnix, type SocketAddress } from './unix.ts';

export const screensDirectory = (relayDirectory: string): string => join(relayDirectory, 'screens');

/** @param name an agent's name: it cannot lead out of the directory (P9). */
export const screenSocketPath = (relayDirectory: string, name: string): string =>
  join(screensDirectory(relayDirectory), `${name}.sock`);

/**
 * Listens at the path, mode 0600. What a wrapper that was killed has left there is replaced, but only if
 * it refuses us. Throws SOCKET_IN_THE_WAY if somebody answers.
 */
export async function listenScreen(server: Server, path: string): Promise<SocketAddress> {
  for (;;) {
    try {
      const address = await listenUnix(server, path);
      chmodSync(path, 0o600);
      return address;
    } catch (error) {
      if (systemCode(error) !== 'EADDRINUSE') throw error;
      await removeStale(path);
    }
  }
}

async function removeStale(path: string): Promise<void> {
  try {
    const socket = await connectUnix(path);
    socket.destroy();
  } catch (error) {
    switch (systemCode(error)) {
      case 'ECONNREFUSED':
        return unlinkSync(path);
      case 'ENOENT':
        return;
    }
  }
  throw new RelayError('SOCKET_IN_THE_WAY', `${path} belongs to another wrapper`);
}
