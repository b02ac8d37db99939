/**
 * Local sockets as URLs: `/run/a b.sock` ⇄ `unix:///run/a%20b.sock`, `\\.\pipe\x` ⇄ `npipe://./pipe/x`.
 * Not by `new URL`: it resolves dot segments and loses the host of `npipe:`. Conformance §2 "URL traps".
 */
import { posix } from 'node:path';
import { RelayError } from '../base/errors.ts';

const UNIX = /^unix:\/\/(\/[^?#]+)$/;
const PIPE = /^npipe:\/\/\.\/pipe\/([^?#/]+)$/;
const PIPE_PATH = /^\\\\[.?]\\pipe\\(.+)$/s;

/**
 * The URL of a socket path as Node's `net` takes it: absolute, or a Windows pipe.
 * @throws RelayError BAD_HANDOFF for a relative path, a NUL byte or a name that is not Unicode.
 */
export function renderEndpoint(path: string): string {
  const pipe = PIPE_PATH.exec(path)?.[1];
  if (pipe !== undefined && pipe !== '.' && pipe !== '..') return `npipe://./pipe/${encode(pipe)}`;
  // Dot segments would be resolved by any client that uses `new URL`: resolve them before it does.
  const normal = posix.normalize(path);
  if (!normal.startsWith('/') || normal.endsWith('/')) {
    throw new RelayError('BAD_HANDOFF', `not an absolute socket path: ${JSON.stringify(path)}`);
  }
  return `unix://${normal.split('/').map(encode).join('/')}`;
}

/**
 * The path to give to Node's `net.connect`.
 * @throws RelayError BAD_HANDOFF when the URL is not that of a local socket.
 */
export function parseEndpoint(endpoint: string): string {
  const unix = UNIX.exec(endpoint)?.[1];
  if (unix !== undefined) return decode(unix, endpoint);
  const pipe = PIPE.exec(endpoint)?.[1];
  if (pipe !== undefined) return `\\\\.\\pipe\\${decode(pipe, endpoint)}`;
  throw new RelayError('BAD_HANDOFF', `not the endpoint of a local socket: ${JSON.stringify(endpoint)}`, {
    suggestion: 'it looks like unix:///absolute/path (three slashes) or npipe://./pipe/name',
  });
}

function encode(segment: string): string {
  try {
    if (!segment.includes('\0')) return encodeURIComponent(segment);
  } catch {
    // Half a surrogate pair: refused below.
  }
  throw new RelayError('BAD_HANDOFF', `not a socket path: ${JSON.stringify(segment)}`);
}

function decode(text: string, endpoint: string): string {
  try {
    const path = decodeURIComponent(text);
    if (!path.includes('\0')) return path;
  } catch {
    // A `%` that encodes no UTF-8: refused below.
  }
  throw new RelayError('BAD_HANDOFF', `bad percent-encoding in ${JSON.stringify(endpoint)}`);
}
