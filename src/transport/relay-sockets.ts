/** The numbered sockets of a relay's directory, and how to see whether somebody answers there. docs/protocol.md §Daemon (P20). */
import { lstatSync, readdirSync } from 'node:fs';
import type { Clock } from '../base/clock.ts';
import { systemCode } from '../base/errors.ts';
import { connectUnix } from './unix.ts';

/** Milliseconds in which a leader must say something (P20). */
export const SILENCE_MS = 2_000;

/** Milliseconds in which a new leader is not deposed for silence (P20). */
export const YOUNG_MS = 10_000;

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

/** Asks once, for two seconds at most. */
export type Ask = (path: string, clock: Clock) => Promise<Probe>;

/** Whether somebody answers at the socket: connects and asks GET /health. */
export async function probe(path: string, clock: Clock, ask: Ask = askHealth): Promise<Probe> {
  for (;;) {
    const began = clock.monotonic();
    const answer = await ask(path, clock);
    if (answer.state !== 'silent') return answer;
    if (clock.monotonic() - began <= SILENCE_MS + LATE_MS) return answer;
    // We slept ourselves: what we measured says nothing about the other side.
  }
}

async function askHealth(path: string, clock: Clock): Promise<Probe> {
  const late = new AbortController();
  const timer = clock.after(SILENCE_MS, () => late.abort());
  try {
    const socket = await connectUnix(path, late.signal);
    return await new Promise<Probe>((resolve) => {
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
        resolve(text === '' ? silent(path, clock) : { state: 'alive', epoch: undefined });
      });
      socket.write('GET /health HTTP/1.1\r\nHost: relay\r\nConnection: close\r\n\r\n');
    });
  } catch (error) {
    switch (systemCode(error)) {
      case 'ECONNREFUSED':
        return { state: 'refused' };
      case 'ENOENT':
        return { state: 'gone' };
      default:
        return silent(path, clock);
    }
  } finally {
    timer.cancel();
  }
}

function silent(path: string, clock: Clock): Probe {
  const made = lstatSync(path, { throwIfNoEntry: false })?.mtimeMs;
  if (made === undefined) return { state: 'gone' };
  return { state: 'silent', young: Math.abs(clock.now() - made) < YOUNG_MS };
}
