/** AFD commands by POST /rpc on the relay's socket. docs/protocol.md §Control (P22). */
import { request } from 'node:http';
import { RelayError } from '../base/errors.ts';
import { socketAddress } from '../transport/unix.ts';

/** Bytes of an answer: a page of polled messages, each as long as a frame may be, would be more. */
const MAX_ANSWER_BYTES = 128 * 1024 * 1024;

export interface RpcOptions {
  token?: string | undefined;
  signal?: AbortSignal | undefined;
}

/** The CommandResult as it came. Throws DAEMON_UNREACHABLE, CONNECTION_LOST, BAD_RESULT. */
export function callRpc(
  socketPath: string,
  method: string,
  params: unknown,
  { token, signal }: RpcOptions = {},
): Promise<unknown> {
  const address = socketAddress(socketPath);
  const body = Buffer.from(JSON.stringify({ method, params }));
  const headers = {
    'Content-Type': 'application/json',
    'Content-Length': body.length,
    Connection: 'close',
    ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
  };
  return new Promise<unknown>((resolve, reject) => {
    const call = request(
      {
        socketPath: address.path,
        path: '/rpc',
        method: 'POST',
        headers,
        agent: false,
        ...(signal ? { signal } : {}),
      },
      (response) => {
        const chunks: Buffer[] = [];
        let bytes = 0;
        response.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
          if (bytes > MAX_ANSWER_BYTES) call.destroy(new Error('the answer is too long'));
          else chunks.push(chunk);
        });
        response.on('end', () => {
          try {
            resolve(resultOf(Buffer.concat(chunks)));
          } catch (error) {
            reject(error);
          }
        });
        response.on('error', (cause) => reject(lost(socketPath, cause)));
      },
    );
    call.on('error', (cause) => reject(lost(socketPath, cause)));
    call.end(body);
  }).finally(() => address.release());
}

function resultOf(body: Buffer): unknown {
  try {
    return (JSON.parse(body.toString('utf8')) as { result: unknown }).result;
  } catch (cause) {
    throw new RelayError('BAD_RESULT', 'the answer of the daemon is not JSON', { cause });
  }
}

function lost(socketPath: string, cause: Error): RelayError {
  const code = 'code' in cause ? cause.code : undefined;
  const nobody = code === 'ECONNREFUSED' || code === 'ENOENT';
  return new RelayError(
    nobody ? 'DAEMON_UNREACHABLE' : 'CONNECTION_LOST',
    `${socketPath}: ${cause.message}`,
    { cause },
  );
}
