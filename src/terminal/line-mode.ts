/** How a terminal treats its input now: does it edit lines, does it echo. Asked of `stty`; Node cannot. */
import { execFile } from 'node:child_process';
import { platform } from 'node:process';

export interface LineMode {
  /** Input is given to the program line by line. */
  canonical: boolean;
  echo: boolean;
}

/** The line mode of the terminal at `path`; undefined where it cannot be asked (no stty, it is gone). */
export function lineMode(path: string): Promise<LineMode | undefined> {
  const flag = platform === 'darwin' ? '-f' : '-F';
  return new Promise((resolve) => {
    execFile('stty', [flag, path, '-a'], (error, stdout) => {
      if (error !== null) return resolve(undefined);
      const words = stdout.split(/[\s;]+/);
      resolve({ canonical: words.includes('icanon'), echo: words.includes('echo') });
    });
  });
}
