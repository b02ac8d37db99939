/** How to start this program again: from the bin script, or as a single executable. */
import { execPath } from 'node:process';
import { isSea } from 'node:sea';

/** File and leading arguments of a command that runs this very CLI. */
export function selfCommand(): { file: string; args: string[] } {
  const script = process.argv[1];
  // In a single executable the place of the script holds the executable once more.
  return isSea() || script === undefined ? { file: execPath, args: [] } : { file: execPath, args: [script] };
}
