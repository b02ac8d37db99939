/** The numbered sockets of a relay's directory, and how to see whether somebody answers there. docs/protocol.md §Daemon (P20). */
import { lstatSync, readdirSync } from 'node:fs';
import type { Clock } from '../base/clock.ts';
import { RelayError, systemCode } from '../base/errors.ts';
import type { Link } from './link.ts';
import { socketLink } from './socket.ts';
import { connectUnix } from './unix.ts';

/** Milliseconds in which a leader must say something (P20). */
export const SILENCE_MS = 2_000;

/** Milliseconds in which a new leader is not deposed for silence (P20). */
export const YOUNG_MS = 10_000;

/** Milliseconds in which a leader that was just elected need not be asked whether it lives. */
export const NEW_MS = 1_000;

/** Who hangs up so often without a word is not just ending, but has no room for us. */
const HANGUPS = 3;

/** Milliseconds before somebody who had no room is asked again. */
const AGAIN_MS = 20;

/** A timer of ours that fires so much later was not the other side's fault. */
const LATE_MS = 1_000;

const SOCKET = /^relay\.(\d{10})\.sock$/;

export const socketName = (epoch: number): string => `relay.${String(epoch).padStart(10, '0')}.sock`;

export const epochOfName = (name: string): number | undefined => {
  const digits = SOCKET.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
};

/** The epochs that have a socket, ascending. */
export function listEpochs(directory: string, list: (directory: string) => string[] = readdirSync): number[] {
  return list(directory)
    .map(epochOfName)
    .filter((epoch) => epoch !== undefined)
    .sort((a, b) => a - b);
}

export type Probe =
  | { state: 'alive'; epoch: number | undefined }
  /** Nobody listens: it may be deposed. */
  | { state: 'refused' }
  | { state: 'gone' }
  /** It accepts and says nothing; `young` ones are given more time. */
  | { state: 'silent'; young: boolean };

/** What one look showed. */
export type Glance =
  | Probe
  /** It closed the connection without a word. */
  | { state: 'hung up' }
  /** The kernel has no room for another newcomer; `otherwise`, if that lasts. */
  | { state: 'queue full'; otherwise: Probe };

/** Asks once, for two seconds at most. */
export type Ask = (path: string, clock: Clock) => Promise<Glance>;

/** A connection to a leader that was elected a moment ago. Undefined: it was not, or nobody is there; `probe` tells. */
export async function meet(path: string, clock: Clock): Promise<Link | undefined> {
  if (!(age(path, clock) < NEW_MS)) return undefined;
  try {
    return socketLink(await connectUnix(path));
  } catch {
    return undefined;
  }
}

/** Whether somebody answers at the socket: connects and asks GET /health. Throws DAEMON_UNREACHABLE for a fault of ours. */
export async function probe(path: string, clock: Clock, ask: Ask = askHealth): Promise<Probe> {
  const began = clock.monotonic();
  for (let hangups = 0; ; ) {
    const asked = clock.monotonic();
    const answer = await ask(path, clock);
    if (answer.state === 'hung up') {
      // A stopped process does not even do that, and behind a dead one nobody listens.
      if (++hangups === HANGUPS) return { state: 'alive', epoch: undefined };
    } else if (answer.state === 'queue full') {
      if (clock.monotonic() - began > SILENCE_MS) return answer.otherwise;
    } else if (answer.state !== 'silent' || clock.monotonic() - asked <= SILENCE_MS + LATE_MS) {
      return answer;
    } else {
      continue; // We slept ourselves: what we measured says nothing about the other side.
    }
    await new Promise<void>((resolve) => void clock.after(AGAIN_MS, resolve));
  }
}

async function askHealth(path: string, clock: Clock): Promise<Glance> {
  const late = new AbortController();
  const timer = clock.after(SILENCE_MS, () => late.abort());
  try {
    const socket = await connectUnix(path, late.signal);
    return await new Promise<Glance>((resolve) => {
      let text = '';
      const done = (result: Probe) => {
        socket.destroy();
        resolve(result);
      };
      socket.on('data', (bytes) => {
        text += bytes.toString('latin1');
        const epoch = /"epoch":(\d+)/.exec(text)?.[1];
        if (epoch !== undefined) done({ state: 'alive', epoch: Number(epoch) });
        // Somebody else's server, or one of another kind: it lives, that is all we know.
        else if (text.length > 16_384) done({ state: 'alive', epoch: undefined });
      });
      socket.on('error', () => {});
      socket.on('close', () => {
        if (text !== '') resolve({ state: 'alive', epoch: undefined });
        else resolve(late.signal.aborted ? silent(path, clock) : { state: 'hung up' });
      });
      socket.write('GET /health HTTP/1.1\r\nHost: relay\r\nConnection: close\r\n\r\n');
    });
  } catch (error) {
    switch (systemCode(error)) {
      case 'ECONNREFUSED':
        return { state: 'refused' };
      case 'ENOENT':
        return { state: 'gone' };
      case 'EAGAIN':
        return { state: 'queue full', otherwise: silent(path, clock) };
      case 'EMFILE':
      case 'ENFILE':
        throw new RelayError('DAEMON_UNREACHABLE', 'no file descriptor is left to look for the relay', {
          suggestion: 'raise `ulimit -n`, or end some programs',
          cause: error,
        });
      default:
        return silent(path, clock);
    }
  } finally {
    timer.cancel();
  }
}

function silent(path: string, clock: Clock): Probe {
  const ms = age(path, clock);
  return Number.isNaN(ms) ? { state: 'gone' } : { state: 'silent', young: ms < YOUNG_MS };
}

/** Milliseconds since the socket was made, by a clock that may have been set since; NaN if it is not there. */
function age(path: string, clock: Clock): number {
  return Math.abs(clock.now() - (lstatSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Number.NaN));
}
