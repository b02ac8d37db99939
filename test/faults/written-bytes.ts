/** Where what was written to a segment ends: zeros may lie ahead of it (docs/store.md "Spare"). */
import { readFileSync } from 'node:fs';

export const writtenBytes = (path: string): number =>
  readFileSync(path).findLastIndex((byte) => byte !== 0) + 1;
