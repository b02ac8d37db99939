/** One end of a bidirectional byte pipe: a socket, a pair in memory, or a simulated network. */

export interface LinkHandlers {
  data(bytes: Buffer): void;
  /** What we wrote has left our memory. */
  drain(): void;
  /** The other end sends no more, and may still read; without this handler it is the end of the pipe. */
  ended?(): void;
  /** The pipe is gone, for whatever reason; called once, and nothing after it. */
  closed(error?: Error): void;
}

export interface Link {
  /** Begins to read; before it, nothing is delivered and nothing is lost. Called once. */
  start(handlers: LinkHandlers): void;
  /** Takes bytes to send, in order, and never blocks. After the end it does nothing. */
  write(bytes: Buffer): void;
  /** Bytes that we took and that have not left our memory yet. */
  readonly bufferedBytes: number;
  pause(): void;
  resume(): void;
  /** Sends what was written, then closes. */
  end(): void;
  /** Closes at once. */
  destroy(): void;
}
