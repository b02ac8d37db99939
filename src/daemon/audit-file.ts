/** The audit log of a relay: a line of JSON each, for its owner alone. docs/security.md (checklist 27, P19). */
import { appendFileSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { AuditEvent } from '../afd/audit.ts';
import type { Log } from '../base/log.ts';
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
      if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) >= MAX_AUDIT_BYTES) {
        renameSync(file, `${file}.1`);
      }
      appendFileSync(file, `${JSON.stringify(event)}\n`, { mode: 0o600 });
    } catch (error) {
      log.error('audit.lost', { error, record: event });
    }
  };
}
