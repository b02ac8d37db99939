/** What a check of `doctor` is given and what it says. */
import type { TtySize } from '../terminal/tty.ts';

export interface Finding {
  check: string;
  /** `note`: works, but the person may want to know. Only a problem makes the exit code 1. */
  state: 'ok' | 'note' | 'problem';
  text: string;
  advice?: string;
}

/** The machine as the checks see it; tests give another. */
export interface Patient {
  env: Readonly<Record<string, string | undefined>>;
  cwd: string;
  platform: string;
  arch: string;
  versions: { node: string; uv: string };
  /** Columns and rows of the terminal, 0 where there is none. */
  terminal: TtySize;
  namespace: string;
}

export type Found = Omit<Finding, 'check'>;
