/** How to start this program again: from the bin script, or as a single executable. */
import { execPath } from 'node:process';

/** File and leading arguments of a command that runs this very CLI. */
export function selfCommand(): { file: string; args: string[] } {
  const script = process.argv[1];
  // A single executable has no script: its first argument is already the person's.
  return script === undefined || script === execPath
    ? { file: execPath, args: [] }
    : { file: execPath, args: [script] };
}
