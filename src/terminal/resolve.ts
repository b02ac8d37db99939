/** What can be told before the fork: is there such a program, may it be run, is the size usable. */
import { accessSync, closeSync, constants, openSync, readSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { RelayError, systemCode } from '../base/errors.ts';
import type { TtySize } from './tty.ts';

/** What execvp searches without a PATH. */
const DEFAULT_PATH = '/bin:/usr/bin';
/** Bytes the kernel reads of a script's first line. */
const SHEBANG_BYTES = 256;
const UNKNOWN_SIZE: TtySize = { cols: 80, rows: 24 };
/** Columns and rows below which no agent can draw a prompt. */
const MIN_SIZE: TtySize = { cols: 2, rows: 1 };

/**
 * Finds `file` as a shell would, and returns its path. Throws AGENT_NOT_FOUND (exit code 127) or
 * AGENT_NOT_EXECUTABLE (126). A script without `#!` is accepted: execvp gives it to sh, as shells do.
 */
export function resolveAgent(file: string, cwd: string, path: string | undefined): string {
  const candidates = file.includes('/')
    ? [resolve(cwd, file)]
    : (path ?? DEFAULT_PATH).split(':').map((folder) => join(resolve(cwd, folder), file));
  let refusal: string | undefined;
  for (const candidate of file === '' ? [] : candidates) {
    const reason = whyNotExecutable(candidate);
    if (reason === undefined) return candidate;
    if (reason !== 'missing') refusal ??= `${candidate}: ${reason}`;
  }
  if (refusal !== undefined) throw new RelayError('AGENT_NOT_EXECUTABLE', refusal);
  throw new RelayError('AGENT_NOT_FOUND', `${file === '' ? "''" : file}: command not found`);
}

function whyNotExecutable(path: string): string | undefined {
  try {
    const stat = statSync(path);
    if (stat.isDirectory()) return 'is a directory';
    if (!stat.isFile()) return 'is not a regular file';
    accessSync(path, constants.X_OK);
  } catch (error) {
    const code = systemCode(error);
    return code === 'ENOENT' || code === 'ENOTDIR' ? 'missing' : 'permission denied';
  }
  const interpreter = shebang(path);
  if (interpreter === undefined || whyNotExecutable(interpreter) === undefined) return undefined;
  return `bad interpreter: ${interpreter}`;
}

/** The interpreter that a script names in its first line, if it is one and we may read it. */
function shebang(path: string): string | undefined {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY);
  } catch {
    return undefined; // Executable but unreadable is allowed for binaries.
  }
  try {
    const head = Buffer.alloc(SHEBANG_BYTES);
    const line = head.toString('latin1', 0, readSync(fd, head, 0, SHEBANG_BYTES, 0));
    return /^#![ \t]*(\/[^ \t\n]+)/.exec(line)?.[1];
  } finally {
    closeSync(fd);
  }
}

/** The current directory. Throws CWD_GONE. */
export function currentDirectory(): string {
  try {
    const cwd = process.cwd();
    statSync(cwd);
    return cwd;
  } catch (cause) {
    throw new RelayError('CWD_GONE', 'the current directory does not exist any more', { cause });
  }
}

/** The agent's size: what was asked for, else the terminal's, else COLUMNS and LINES, else 80×24. */
export function decideSize(
  wanted: Partial<TtySize>,
  terminal: TtySize,
  env: Readonly<Record<string, string | undefined>>,
): TtySize {
  const decide = (asked: number | undefined, known: number, variable: string | undefined, last: number) => {
    if (asked !== undefined) return asked;
    if (known > 0) return known;
    return /^[1-9][0-9]{0,3}$/.test(variable ?? '') ? Number(variable) : last;
  };
  return {
    cols: decide(wanted.cols, terminal.cols, env.COLUMNS, UNKNOWN_SIZE.cols),
    rows: decide(wanted.rows, terminal.rows, env.LINES, UNKNOWN_SIZE.rows),
  };
}

/** Throws TERMINAL_TOO_SMALL for a size in which nothing can be drawn. */
export function requireUsable(size: TtySize): void {
  if (size.cols >= MIN_SIZE.cols && size.rows >= MIN_SIZE.rows) return;
  throw new RelayError('TERMINAL_TOO_SMALL', `the terminal has ${size.cols} columns and ${size.rows} rows`);
}
