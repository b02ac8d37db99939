/** Log lines as JSON, for a file; never for the person's screen, and never with a token or a likely secret in them. */
import { appendFileSync } from 'node:fs';
import { hideSecrets } from './secrets.ts';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface Log {
  debug(event: string, fields?: Record<string, unknown>): void;
  info(event: string, fields?: Record<string, unknown>): void;
  warn(event: string, fields?: Record<string, unknown>): void;
  error(event: string, fields?: Record<string, unknown>): void;
  /** A log whose lines carry these fields as well. */
  child(fields: Record<string, unknown>): Log;
}

/** Tokens by their prefix (P7: `ah_`, `ar_`; P10: `as_`), wherever they stand. */
const TOKEN = /\ba[hrs]_[A-Za-z0-9_-]{16,}/g;

/** Text that may be shown or logged: every token in it is replaced. */
export const redact = (text: string): string => text.replace(TOKEN, (token) => `${token.slice(0, 3)}…`);

function plain(_key: string, value: unknown): unknown {
  // What an agent said may be quoted in a line.
  if (typeof value === 'string') return hideSecrets(value);
  if (!(value instanceof Error)) return value;
  const code = 'code' in value ? value.code : undefined;
  return { message: value.message, ...(code === undefined ? {} : { code }), stack: value.stack };
}

/** A log that hands each finished line (JSON, no line feed) to `write`. */
export function lineLog(
  write: (line: string) => void,
  level: LogLevel = 'info',
  fields: Record<string, unknown> = {},
): Log {
  const least = LOG_LEVELS.indexOf(level);
  const at = (name: LogLevel) => (event: string, more?: Record<string, unknown>) => {
    if (LOG_LEVELS.indexOf(name) < least) return;
    const line = { ts: new Date().toISOString(), level: name, event, ...fields, ...more };
    write(redact(JSON.stringify(line, plain)));
  };
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (more) => lineLog(write, level, { ...fields, ...more }),
  };
}

export const silentLog: Log = lineLog(() => {}, 'error');

/** A log that appends to `file` (made with mode 0600). A full disk loses lines, never the agent. */
export function fileLog(file: string, level: LogLevel = 'info'): Log {
  return lineLog((line) => {
    try {
      appendFileSync(file, `${line}\n`, { mode: 0o600 });
    } catch {
      // Nowhere to say it: the person's screen is not ours.
    }
  }, level);
}
