/** How many connections the file descriptors of this process allow. docs/protocol.md §1. */
import { readdirSync, readFileSync } from 'node:fs';
import { MAX_CONNECTIONS, RESERVED_DESCRIPTORS } from '../protocol/limits.ts';

/** Connections a daemon may have, with what else this process has open now. At least one. */
export function connectionRoom(): number {
  try {
    const limit = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1];
    if (limit === undefined) return MAX_CONNECTIONS; // unlimited
    const room = Number(limit) - readdirSync('/proc/self/fd').length - RESERVED_DESCRIPTORS;
    return Math.max(1, Math.min(MAX_CONNECTIONS, room));
  } catch {
    return MAX_CONNECTIONS; // no /proc: macOS, whose limit Node raises as far as it can
  }
}
