/** The audit log of a relay: a line of JSON each, for its owner alone. docs/security.md (checklist 27, P19). */
import { lstatSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import type { AuditEvent } from '../afd/audit.ts';
import type { Log } from '../base/log.ts';
import { appendPrivate } from '../base/private-file.ts';
import { MAX_AUDIT_BYTES } from '../protocol/limits.ts';

export const AUDIT_FILE = 'audit.log';

/**
 * A sink that appends to `audit.log` in the relay's directory (0600); when that is full it becomes
 * `audit.log.1`. A disk that fails costs records, said in `log`, never a session.
 */
export function auditFile(directory: string, log: Log): (event: AuditEvent) => void {
  const file = join(directory, AUDIT_FILE);
  return (event) => {
    try {
      if ((lstatSync(file, { throwIfNoEntry: false })?.size ?? 0) >= MAX_AUDIT_BYTES) {
        renameSync(file, `${file}.1`);
      }
      appendPrivate(file, `${JSON.stringify(event)}\n`);
    } catch (error) {
      log.error('audit.lost', { error, record: event });
    }
  };
}
