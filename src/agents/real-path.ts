/** A path without symbolic links, as agents name their folder; unchanged if it cannot be resolved. */
import { realpathSync } from 'node:fs';

export function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
