/**
 * The connection to the server inside the opencode we wrap: its events, and requests to it. Loopback only,
 * with this run's password, which no other user's process on that port gets to see. real-agents.md §5.
 */
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import type { Clock, Timer } from '../base/clock.ts';
import { RelayError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { portOwner } from './loopback-port.ts';
import { ServerEvents } from './server-events.ts';

/** Milliseconds between attempts to connect. */
const RETRY_MS = 250;

/** Milliseconds for the head of an answer: a server that is still starting takes a request and forgets it. */
const ANSWER_MS = 2_000;

/** Milliseconds of silence after which the stream counts as dead; a heartbeat comes every 10 s. */
const SILENCE_MS = 45_000;

/** Milliseconds for an answer to anything else. */
const REQUEST_MS = 10_000;

/** Bytes of one answer. */
const MAX_ANSWER_BYTES = 32 * 1024 * 1024;

export interface ServerOptions {
  port: number;
  user: string;
  password: string;
  clock: Clock;
  log: Log;
  /** The stream of events is open (again). */
  opened(): void;
  /** The data of one event. */
  event(data: string): void;
  /** The stream broke; it is opened again by itself. */
  lost(): void;
  /** It will never work: another's server, or our password is refused. */
  refused(reason: string): void;
}

export class OpencodeServer {
  readonly #options: ServerOptions;
  #state: 'connecting' | 'open' | 'closed' = 'connecting';
  #stream: ClientRequest | undefined;
  #timer: Timer | undefined;

  constructor(options: ServerOptions) {
    this.#options = options;
    this.#later();
  }

  get open(): boolean {
    return this.#state === 'open';
  }

  /** The JSON at `path`; rejects unless the status is 2xx. */
  async get(path: string): Promise<unknown> {
    return JSON.parse(await this.#ask('GET', path, undefined));
  }

  /** Resolves when the server has accepted it (2xx). NOT_CONFIRMED: it may have, and did not say. */
  async post(path: string, body: unknown): Promise<void> {
    await this.#ask('POST', path, JSON.stringify(body));
  }

  async close(): Promise<void> {
    this.#state = 'closed';
    this.#timer?.cancel();
    this.#stream?.destroy();
  }

  #later(): void {
    this.#timer = this.#options.clock.after(RETRY_MS, () => this.#connect(), { unref: true });
  }

  #connect(): void {
    if (this.#state === 'closed') return;
    const owner = portOwner(this.#options.port, process.getuid?.() ?? -1);
    if (owner === 'nobody') {
      this.#later();
      return;
    }
    if (owner === 'foreign') {
      this.#refuse('another user listens on the port of its server');
      return;
    }
    this.#listen();
  }

  #listen(): void {
    const stream = this.#request('GET', '/event');
    this.#stream = stream;
    let ended = false;
    const end = () => {
      if (ended) return;
      ended = true;
      stream.destroy();
      if (this.#state === 'closed') return;
      if (this.#state === 'open') {
        this.#state = 'connecting';
        this.#options.lost();
      }
      this.#later();
    };
    const late = this.#options.clock.after(ANSWER_MS, end, { unref: true });
    stream.on('error', end);
    stream.on('response', (response) => {
      late.cancel();
      if (response.statusCode !== 200) {
        ended = true;
        stream.destroy();
        this.#refuse(`its server answers ${response.statusCode}`);
        return;
      }
      this.#read(response, end);
    });
    stream.end();
  }

  #read(response: IncomingMessage, end: () => void): void {
    const events = new ServerEvents();
    this.#state = 'open';
    this.#options.opened();
    response.socket.setTimeout(SILENCE_MS, end);
    response.on('data', (chunk: Buffer) => {
      try {
        for (const data of events.push(chunk)) this.#options.event(data);
      } catch (error) {
        this.#options.log.warn('opencode-event-failed', { error });
        end();
      }
    });
    response.on('error', end);
    response.on('close', end);
  }

  #refuse(reason: string): void {
    this.#state = 'closed';
    this.#options.refused(reason);
  }

  #request(method: string, path: string): ClientRequest {
    const { port, user, password } = this.#options;
    return request({
      host: '127.0.0.1',
      port,
      method,
      path,
      agent: false,
      headers: {
        authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
        'content-type': 'application/json',
      },
    });
  }

  #ask(method: string, path: string, body: string | undefined): Promise<string> {
    // The stream was opened to our own process: so is this.
    if (this.#state !== 'open') return Promise.reject(new Error('not connected to its server'));
    return new Promise((resolve, reject) => {
      const asked = this.#request(method, path);
      let sent = false;
      const fail = (cause: Error) => {
        const unsure = `${method} ${path}: ${cause.message}`;
        reject(sent ? new RelayError('NOT_CONFIRMED', unsure, { cause }) : cause);
      };
      asked.setTimeout(REQUEST_MS, () => asked.destroy(new Error('no answer in time')));
      asked.on('socket', (socket) => {
        socket.on('connect', () => {
          sent = true;
        });
      });
      asked.on('error', fail);
      asked.on('response', (response) => {
        const chunks: Buffer[] = [];
        let bytes = 0;
        response.on('error', fail);
        response.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
          if (bytes > MAX_ANSWER_BYTES) asked.destroy(new Error('answer too long'));
          else chunks.push(chunk);
        });
        response.on('end', () => {
          const status = response.statusCode ?? 0;
          if (status >= 200 && status < 300) resolve(Buffer.concat(chunks).toString());
          else reject(new Error(`${method} ${path}: status ${status}`));
        });
      });
      asked.end(body);
    });
  }
}
