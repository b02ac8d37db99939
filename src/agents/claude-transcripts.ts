/** The transcripts that Claude Code keeps of a folder. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Those that were written to at `since` or later (milliseconds since the epoch). */
export const transcriptsSince = (folders: readonly string[], since: number): string[] =>
  folders
    .flatMap((folder) => transcripts(folder))
    .filter((file) => (statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0) >= since);

function transcripts(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith('.jsonl'))
      .map((name) => join(folder, name));
  } catch {
    return [];
  }
}
