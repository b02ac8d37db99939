/**
 * One socket, two languages: frames of the relay, and HTTP for curl and scripts, told apart by their
 * first byte. docs/protocol.md §Control (P22).
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type CommandResult, failureFrom } from '../afd/result.ts';
import type { Clock } from '../base/clock.ts';
import { RelayError, systemCode } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { encodeEnvelope, newEnvelope } from '../protocol/envelope.ts';
import {
  HANDSHAKE_MS,
  HTTP_HEADER_MS,
  HTTP_REQUEST_MS,
  MAX_CONNECTIONS,
  MAX_HTTP_BODY_BYTES,
  MAX_HTTP_REQUESTS,
  MAX_JSON_DEPTH,
  MAX_TURNED_AWAY,
  TURNED_AWAY_MS,
} from '../protocol/limits.ts';
import { nestsDeeper } from '../protocol/members.ts';
import { socketLink } from '../transport/socket.ts';
import type { Daemon } from './daemon.ts';
import { serveEvents } from './event-stream.ts';

const STATUS: Partial<Record<string, number>> = {
  BAD_REQUEST: 400,
  MESSAGE_TOO_LARGE: 413,
  COMMAND_NOT_FOUND: 404,
  TOKEN_UNKNOWN: 401,
  TOKEN_USED: 401,
  SESSION_DISCONNECTED: 401,
  QUEUE_FULL: 503,
};

export class Control {
  readonly #daemon: Daemon;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #http: Server;
  readonly #sockets = new Set<Socket>();
  readonly #maxConnections: number;
  #full = false;
  #requests = 0;

  constructor(daemon: Daemon, clock: Clock, log: Log, maxConnections: number = MAX_CONNECTIONS) {
    this.#daemon = daemon;
    this.#clock = clock;
    this.#log = log;
    this.#maxConnections = maxConnections;
    this.#http = createServer(
      { headersTimeout: HTTP_HEADER_MS, requestTimeout: HTTP_REQUEST_MS, connectionsCheckingInterval: 1_000 },
      (request, response) => void this.#serve(request, response),
    );
    this.#http.on('clientError', refuseRequest);
    // `emit('connection')` does not start the check of the two time-outs: listening does.
    this.#http.emit('listening');
  }

  /** Takes a fresh connection: looks at its first byte and hands it on. */
  accept(socket: Socket): void {
    const beyond = this.#sockets.size - this.#maxConnections;
    if (beyond >= 0) this.#sayFull();
    if (beyond >= MAX_TURNED_AWAY) {
      socket.destroy();
      return;
    }
    const full =
      beyond < 0
        ? undefined
        : new RelayError('TOO_MANY_CONNECTIONS', `${this.#maxConnections} connections are there`);
    this.#sockets.add(socket);
    socket.on('close', () => this.#left(socket));
    socket.on('error', () => {}); // whoever serves it hears of the close
    const timer = this.#clock.after(full ? TURNED_AWAY_MS : HANDSHAKE_MS, () => {
      this.#refuse(socket, full ?? new RelayError('HANDSHAKE_TIMEOUT', 'no HELLO came in time'));
    });
    socket.once('close', () => timer.cancel());
    const left = () => socket.end();
    socket.once('end', left);
    socket.once('data', (bytes: Buffer) => {
      timer.cancel();
      socket.off('end', left); // what it means is for who serves it to judge
      socket.pause();
      socket.unshift(bytes);
      const first = bytes[0] as number;
      if (full !== undefined) {
        socket.resume();
        if (isLetter(first)) refuseRequest(full, socket);
        else this.#refuse(socket, full);
      } else if (first === 0) {
        this.#daemon.accept(socketLink(socket));
        socket.resume();
      } else if (isLetter(first)) {
        this.#http.emit('connection', socket);
        socket.resume();
      } else {
        this.#refuse(socket, new RelayError('FRAME_TOO_LARGE', 'neither a frame nor a request'));
      }
    });
  }

  /** Ends every connection: what was written is sent first. */
  close(): void {
    this.#http.close();
    for (const socket of this.#sockets) {
      socket.destroySoon();
      this.#clock.after(HTTP_HEADER_MS, () => socket.destroy(), { unref: true });
    }
  }

  /** Once for each time it becomes full. */
  #sayFull(): void {
    if (this.#full) return;
    this.#full = true;
    this.#log.warn('control.full', { connections: this.#sockets.size });
  }

  #left(socket: Socket): void {
    this.#sockets.delete(socket);
    if (this.#sockets.size < this.#maxConnections) this.#full = false;
  }

  #refuse(socket: Socket, { code, message, suggestion }: RelayError): void {
    const payload = { code, message, suggestion, fatal: true };
    socket.end(encodeEnvelope(newEnvelope('ERROR', payload, this.#clock.now())));
    this.#clock.after(HTTP_HEADER_MS, () => socket.destroy(), { unref: true });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#requests++;
    response.on('close', () => this.#requests--);
    try {
      if (this.#requests > MAX_HTTP_REQUESTS) {
        throw new RelayError('QUEUE_FULL', `${MAX_HTTP_REQUESTS} requests are being served`, {
          suggestion: 'try again in a moment',
        });
      }
      await this.#route(request, response);
    } catch (thrown) {
      const error = RelayError.from(thrown);
      if (error.code === 'INTERNAL') this.#log.error('control.failed', { error: thrown });
      answer(response, STATUS[error.code] ?? 500, { result: failureFrom(error) });
    }
  }

  async #route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? '/', 'http://relay');
    switch (`${request.method} ${pathname}`) {
      case 'GET /health':
        return answer(response, 200, this.#daemon.health());
      case 'POST /rpc':
        return answer(response, 200, { result: await this.#rpc(request, response) });
      case 'GET /events':
        return serveEvents(this.#daemon, this.#daemon.agentOf(tokenOf(request)), response);
      default:
        throw new RelayError('COMMAND_NOT_FOUND', `no ${request.method} ${pathname.slice(0, 80)} here`, {
          suggestion: 'there are POST /rpc, GET /health and GET /events',
        });
    }
  }

  async #rpc(request: IncomingMessage, response: ServerResponse): Promise<CommandResult> {
    const { method, params } = parseCall(await readBody(request));
    const gone = new AbortController();
    response.on('close', () => gone.abort());
    const traceId = request.headers['x-trace-id'];
    return this.#daemon.execute(method, params, {
      interface: 'rpc',
      signal: gone.signal,
      token: tokenOf(request),
      ...(typeof traceId === 'string' ? { traceId } : {}),
    });
  }
}

const isLetter = (byte: number): boolean => (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a);

function tokenOf({ headers }: IncomingMessage): string | undefined {
  const { authorization } = headers;
  if (authorization === undefined) return undefined;
  const token = /^Bearer +(\S+)$/i.exec(authorization)?.[1];
  if (token === undefined) throw new RelayError('BAD_REQUEST', 'Authorization is not "Bearer <token>"');
  return token;
}

/** Throws MESSAGE_TOO_LARGE before more than the limit is kept. */
async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += (chunk as Buffer).length;
    if (bytes > MAX_HTTP_BODY_BYTES) {
      throw new RelayError('MESSAGE_TOO_LARGE', `a body may have ${MAX_HTTP_BODY_BYTES} bytes`);
    }
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseCall(body: string): { method: string; params: unknown } {
  let call: unknown;
  try {
    call = JSON.parse(body);
  } catch (cause) {
    throw new RelayError('BAD_REQUEST', 'the body is not JSON', { cause });
  }
  if (nestsDeeper(body, MAX_JSON_DEPTH)) {
    throw new RelayError('BAD_REQUEST', `nested deeper than ${MAX_JSON_DEPTH}`);
  }
  const { method, params } = (typeof call === 'object' && call !== null ? call : {}) as Record<
    string,
    unknown
  >;
  if (typeof method !== 'string') {
    throw new RelayError('BAD_REQUEST', 'no method', {
      suggestion: '{"method":"relay-agents","params":{}}',
    });
  }
  return { method, params: params ?? {} };
}

/** What is refused before there is a request: too many, too slow, too long, or no HTTP at all. The same shape. */
function refuseRequest(error: Error, socket: Duplex): void {
  const code = systemCode(error);
  const [status, refusal] =
    error instanceof RelayError
      ? ['503 Service Unavailable', error]
      : code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? ['408 Request Timeout', new RelayError('TIMEOUT', 'the request came too slowly')]
        : code === 'HPE_HEADER_OVERFLOW'
          ? [
              '431 Request Header Fields Too Large',
              new RelayError('MESSAGE_TOO_LARGE', 'the header is too long'),
            ]
          : ['400 Bad Request', new RelayError('BAD_REQUEST', 'this is not HTTP')];
  if (!socket.writable) return;
  const body = `${JSON.stringify({ result: failureFrom(refusal) })}\n`;
  const length = Buffer.byteLength(body);
  socket.end(
    `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${length}\r\n\r\n${body}`,
  );
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  if (response.headersSent || response.destroyed) return;
  const bytes = Buffer.from(`${JSON.stringify(body)}\n`);
  // A body that was refused half-read would be taken for the next request.
  if (status !== 200) response.setHeader('Connection', 'close');
  response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': bytes.length });
  response.end(bytes);
}
