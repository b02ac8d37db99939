/**
 * Takes the agent's own HTTP hooks on 127.0.0.1. Who knows the secret in the path speaks for the agent, so
 * it is random for each run and handed over in a 0600 file only. real-agents.md "What we decide" 5.
 */
import { timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Log } from '../base/log.ts';
import { type JsonRecord, parseRecord } from './json-record.ts';

/** Bytes of one hook: the longest answer of a model fits several times. */
export const MAX_HOOK_BYTES = 4 * 1024 * 1024;

/** Milliseconds in which a hook must have arrived whole. */
const REQUEST_MS = 10_000;

export class HookServer {
  readonly #server: Server;
  readonly #path: Buffer;
  readonly #log: Log;
  #port = 0;
  #listener: (hook: JsonRecord) => void = () => {};

  private constructor(secret: string, log: Log) {
    this.#path = Buffer.from(`/${secret}`);
    this.#log = log;
    this.#server = createServer({ requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS });
    this.#server.on('request', (request, response) => this.#serve(request, response));
  }

  /** Listens on a free port of 127.0.0.1. Rejects when there is none. */
  static async listen(secret: string, log: Log): Promise<HookServer> {
    const server = new HookServer(secret, log);
    await new Promise<void>((resolve, reject) => {
      server.#server.once('error', reject);
      server.#server.listen(0, '127.0.0.1', resolve);
    });
    server.#port = (server.#server.address() as AddressInfo).port;
    // The agent's end is what ends us; an open hook port is no reason to stay.
    server.#server.unref();
    server.#server.on('error', (error) => log.warn('hook-server', { error }));
    return server;
  }

  /** Where the agent sends its hooks; the secret is in it. */
  get url(): string {
    return `http://127.0.0.1:${this.#port}${this.#path}`;
  }

  /** Called with the body of each hook, in order of arrival. */
  onHook(listener: (hook: JsonRecord) => void): void {
    this.#listener = listener;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    if (this.#server.listening) await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    if (!this.#allowed(request)) {
      this.#log.warn('hook-refused', { method: request.method });
      refuse(request, response, 404);
      return;
    }
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= MAX_HOOK_BYTES) chunks.push(chunk);
      else refuse(request, response, 413);
    });
    request.on('error', () => response.destroy());
    request.on('end', () => {
      const hook = parseRecord(Buffer.concat(chunks).toString());
      // Answered before anything is done with it: the agent waits.
      response.writeHead(hook ? 200 : 400, { 'content-type': 'application/json' }).end('{}');
      if (hook) this.#listener(hook);
    });
  }

  /** No page in a browser can pass: it does not know the path, and sends an Origin. */
  #allowed(request: IncomingMessage): boolean {
    const path = Buffer.from(request.url ?? '');
    return (
      request.method === 'POST' &&
      path.length === this.#path.length &&
      timingSafeEqual(path, this.#path) &&
      request.headers.host === `127.0.0.1:${this.#port}` &&
      request.headers.origin === undefined
    );
  }
}

function refuse(request: IncomingMessage, response: ServerResponse, status: number): void {
  if (response.headersSent) return;
  response.writeHead(status, { connection: 'close' }).end();
  response.once('finish', () => request.destroy());
}
