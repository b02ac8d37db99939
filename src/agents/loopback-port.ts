/**
 * A TCP port of 127.0.0.1 for an agent's server, and whose process listens there: a port can be taken by
 * another user between our choice and the agent's start, and must then not hear our password.
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';

/** Ports below those the system hands out by itself, so that nothing takes ours by chance. */
const FIRST_PORT = 20_000;
const PORTS = 12_000;
const TRIES = 20;

/** A port that was free a moment ago; undefined if none was found. `random` gives numbers in [0, 1). */
export async function freePort(random: () => number): Promise<number | undefined> {
  for (let i = 0; i < TRIES; i++) {
    const port = FIRST_PORT + Math.floor(random() * PORTS);
    if (await isFree(port)) return port;
  }
  return undefined;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/**
 * Who listens on this port of loopback: `ours` (our user), `foreign`, `nobody`, or `unknown` where the system
 * does not tell (no Linux).
 */
export function portOwner(
  port: number,
  uid: number,
  table = tcpTable(),
): 'ours' | 'foreign' | 'nobody' | 'unknown' {
  if (table === undefined) return 'unknown';
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  const owners = table
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    // local address, state (0A: listening), uid
    .filter((field) => field[1]?.endsWith(`:${hex}`) && field[3] === '0A')
    .map((field) => Number(field[7]));
  if (owners.length === 0) return 'nobody';
  return owners.every((owner) => owner === uid) ? 'ours' : 'foreign';
}

function tcpTable(): string | undefined {
  try {
    return readFileSync('/proc/net/tcp', 'utf8');
  } catch {
    return undefined;
  }
}
