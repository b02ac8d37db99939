/**
 * `host.json` in the relay's directory: which machine hosts it, renewed while it does, so that two
 * machines on one shared home do not depose each other for ever. docs/protocol.md §Daemon (P19).
 */
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { RelayError } from '../base/errors.ts';
import { replacePrivate } from '../base/private-file.ts';

const HOST_FILE = 'host.json';

/** Milliseconds between two renewals. */
export const RENEW_MS = 3_000;

/** Milliseconds after its last renewal in which a machine is believed to host the relay still. */
const FRESH_MS = 10_000;

/** Milliseconds after a leader's last sign in which its agents may still be looking for another (P9, P21). */
const ORPHANED_MS = 60_000;

interface HostFile {
  boot_id: string;
  /** Wall clock, ms. */
  renewed: number;
  /** The leader left, and nobody was connected. */
  empty?: boolean;
}

/** Throws RELAY_ELSEWHERE when another machine hosts the relay. Else: whether agents may be on their way. */
export function inspectHost(directory: string, now: number, text = readText): { tookOver: boolean } {
  const file = parse(text(join(directory, HOST_FILE)));
  if (file === undefined) return { tookOver: false };
  const age = Math.abs(now - file.renewed);
  if (file.boot_id !== bootId()) {
    if (age < FRESH_MS && file.empty !== true) {
      throw new RelayError('RELAY_ELSEWHERE', `another machine hosts the relay in ${directory}`);
    }
    return { tookOver: false };
  }
  return { tookOver: file.empty !== true && age < ORPHANED_MS };
}

/** Says that this machine hosts the relay; `empty` on leaving, when nobody is connected. */
export function renewHost(directory: string, now: number, empty = false, write = replacePrivate): void {
  const file: HostFile = { boot_id: bootId(), renewed: now, ...(empty ? { empty } : {}) };
  write(join(directory, HOST_FILE), `${JSON.stringify(file)}\n`);
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // not there: it says nothing
  }
}

function parse(text: string): HostFile | undefined {
  try {
    const file: unknown = JSON.parse(text);
    if (typeof file !== 'object' || file === null) return undefined;
    const { boot_id, renewed, empty } = file as Partial<HostFile>;
    if (typeof boot_id !== 'string' || typeof renewed !== 'number') return undefined;
    return { boot_id, renewed, ...(empty === true ? { empty } : {}) };
  } catch {
    return undefined; // not there, or torn by a crash
  }
}

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return `host:${hostname()}`;
  }
}
