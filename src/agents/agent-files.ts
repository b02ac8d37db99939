/** Looking at what an agent keeps on disk. It may be missing or not ours to read: then it is empty. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What lies in a folder, or also in those below it. */
export function filesIn(folder: string, depth: 'flat' | 'deep' = 'flat'): string[] {
  try {
    const names = readdirSync(folder, { encoding: 'utf8', recursive: depth === 'deep' });
    return names.map((name) => join(folder, name));
  } catch {
    return [];
  }
}

/** A whole file. */
export function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
