/** One connection with its handshake done: HELLO with a token, WELCOME. docs/protocol.md §4 (spec §4, P5, P7). */
import type { HandoffConnection, HandoffConnectionState } from '../afd/protocol-handlers.ts';
import type { Clock } from '../base/clock.ts';
import { isErrorCode, RelayError } from '../base/errors.ts';
import { type Envelope, newEnvelope } from '../protocol/envelope.ts';
import type { Payload } from '../protocol/payloads.ts';
import { Connection, type ConnectionHandlers } from '../transport/connection.ts';
import type { Link } from '../transport/link.ts';

/** The name of our protocol in `HandoffResult.protocol`. */
export const AGENT_RELAY = 'agent-relay';

/** Milliseconds without any frame after HELLO until the leader is suspected to sleep (P20). */
const WELCOME_MS = 2_000;

export type HelloPayload = Payload<'HELLO'>;

/** A connection that is READY. Frames that came with the WELCOME wait until `start`. */
export class RelayChannel implements HandoffConnection {
  readonly protocol = AGENT_RELAY;
  readonly endpoint: string;
  readonly welcome: Payload<'WELCOME'>;
  /** The daemon knew the session of our token; false: WELCOME opened a new one (P7). */
  readonly resumed: boolean;
  readonly #connection: Connection;
  readonly #start: (handlers: ConnectionHandlers) => void;

  private constructor(
    endpoint: string,
    connection: Connection,
    welcome: Payload<'WELCOME'>,
    resumed: boolean,
    start: (handlers: ConnectionHandlers) => void,
  ) {
    this.endpoint = endpoint;
    this.#connection = connection;
    this.welcome = welcome;
    this.resumed = resumed;
    this.#start = start;
  }

  /**
   * Says HELLO on `link` and waits for WELCOME. Throws the daemon's ERROR by its code, CONNECTION_LOST
   * when the link ends first, and TIMEOUT when nothing at all comes: the leader may be asleep.
   */
  static open(link: Link, endpoint: string, hello: HelloPayload, clock: Clock): Promise<RelayChannel> {
    return new Promise((resolve, reject) => {
      const connection = new Connection(link);
      const early: Envelope[] = [];
      let handlers: ConnectionHandlers | undefined;
      let tooOld = false;
      let welcomed = false;
      let closed: { error?: Error } | undefined;
      const fail = (error: RelayError): void => {
        timer.cancel();
        connection.destroy();
        reject(error);
      };
      const silent = (): void =>
        fail(new RelayError('TIMEOUT', `no WELCOME from ${endpoint} in ${WELCOME_MS} ms`));
      let timer = clock.after(WELCOME_MS, silent);

      const first = (envelope: Envelope): void => {
        if (envelope.type === 'WELCOME') {
          welcomed = true;
          timer.cancel();
          const start = (given: ConnectionHandlers): void => {
            handlers = given;
            for (const waiting of early.splice(0)) given.envelope(waiting);
            if (closed !== undefined) given.closed(closed.error);
          };
          resolve(new RelayChannel(endpoint, connection, envelope.payload, !tooOld, start));
        } else if (envelope.type === 'ERROR') {
          const { code, message, fatal } = envelope.payload;
          if (code === 'RESUME_TOO_OLD' && fatal !== true) tooOld = true;
          else if (code === 'UNSUPPORTED_VERSION') fail(otherProtocol(endpoint));
          else if (isErrorCode(code)) fail(new RelayError(code, message));
          else fail(new RelayError('CONNECTION_LOST', `${code}: ${message}`));
        } else if (envelope.type === 'BYE') {
          fail(new RelayError('SHUTTING_DOWN', `the daemon at ${endpoint} is leaving`));
        }
      };

      connection.start({
        envelope(envelope) {
          if (handlers !== undefined) handlers.envelope(envelope);
          else if (welcomed) early.push(envelope);
          else first(envelope);
        },
        heard() {
          handlers?.heard?.();
          if (welcomed) return;
          // Any frame counts as life: a leader that recovers says BUSY meanwhile (P20).
          timer.cancel();
          timer = clock.after(WELCOME_MS, silent);
        },
        invalid(error, fatal) {
          handlers?.invalid(error, fatal);
          if (!welcomed && fatal)
            fail(error.code === 'UNSUPPORTED_VERSION' ? otherProtocol(endpoint) : error);
        },
        drain: () => handlers?.drain?.(),
        leaving: () => handlers?.leaving?.(),
        closed(error) {
          closed = error === undefined ? {} : { error };
          handlers?.closed(error);
          if (!welcomed)
            fail(new RelayError('CONNECTION_LOST', `${endpoint} closed the connection before WELCOME`));
        },
      });
      connection.send(newEnvelope('HELLO', hello, clock.now()));
    });
  }

  get state(): HandoffConnectionState {
    return this.#connection.open ? 'connected' : 'disconnected';
  }

  /** Bytes that wait in our memory for the daemon to read. */
  get bufferedBytes(): number {
    return this.#connection.bufferedBytes;
  }

  /** Hands over what came since WELCOME, then everything else. Called once. */
  start(handlers: ConnectionHandlers): void {
    this.#start(handlers);
  }

  send(envelope: unknown): void {
    this.#connection.send(envelope as Envelope);
  }

  /** Asks for `leaving`, at the end of this turn. */
  leaveSoon(): void {
    this.#connection.leaveSoon();
  }

  sendFrame(frame: Buffer): void {
    this.#connection.sendFrame(frame);
  }

  close(): void {
    this.#connection.end();
  }

  destroy(): void {
    this.#connection.destroy();
  }
}

/** P20: whoever reads this is a person with two versions installed. */
const otherProtocol = (endpoint: string): RelayError =>
  new RelayError(
    'UNSUPPORTED_VERSION',
    `the relay at ${endpoint} speaks another version of the protocol: ` +
      'run the same version of agent-wrap everywhere on it, or use another --namespace',
    { suggestion: 'update the older agent-wrap, or use another --namespace' },
  );
