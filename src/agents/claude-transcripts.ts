/** The transcripts that Claude Code keeps of a folder. */
import { statSync } from 'node:fs';
import { filesIn } from './agent-files.ts';

/** Those that were written to at `since` or later (milliseconds since the epoch). */
export const transcriptsSince = (folders: readonly string[], since: number): string[] =>
  folders
    .flatMap((folder) => filesIn(folder))
    .filter((file) => file.endsWith('.jsonl'))
    .filter((file) => (statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0) >= since);
