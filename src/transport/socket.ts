/** A Node stream socket as a link. */
import type { Socket } from 'node:net';
import type { Link, LinkHandlers } from './link.ts';
import { Turns, type Worker } from './turns.ts';

/** Bytes handed over at once: some twenty messages, well under a millisecond of a daemon's work. */
const PIECE_BYTES = 8 * 1024;

/** All sockets of this process share its event loop. */
const turns = new Turns();

export const socketLink = (socket: Socket): Link => new SocketLink(socket);

class SocketLink implements Link, Worker {
  readonly #socket: Socket;
  #handlers: LinkHandlers | undefined;
  #error: Error | undefined;
  #corked = false;
  /** What came and was not handed over yet, oldest first. */
  #pieces: Buffer[] = [];
  /** It stands in the round of turns. */
  #inTurn = false;
  #paused = false;
  /** The peer sends no more; told when all that came before is handed over. */
  #end: 'open' | 'seen' | 'told' = 'open';
  #state: 'open' | 'closing' | 'closed' = 'open';

  constructor(socket: Socket) {
    this.#socket = socket;
    // Until start() nobody else listens, and an unheard 'error' would end the process.
    socket.on('error', (error) => {
      this.#error = error;
    });
  }

  start(handlers: LinkHandlers): void {
    const socket = this.#socket;
    this.#handlers = handlers;
    socket.on('data', (bytes: Buffer) => {
      for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
        this.#pieces.push(bytes.subarray(at, at + PIECE_BYTES));
      }
      this.#takeTurn();
    });
    socket.on('drain', () => handlers.drain());
    socket.on('end', () => {
      this.#end = 'seen';
      this.#tellEnd();
    });
    const gone = () => {
      this.#state = 'closing';
      this.#closeIfEmpty();
    };
    if (socket.destroyed) queueMicrotask(gone);
    else socket.on('close', gone);
  }

  write(bytes: Buffer): void {
    const socket = this.#socket;
    if (socket.destroyed || socket.writableEnded) return;
    // All frames of one turn leave in one writev.
    if (!this.#corked) {
      this.#corked = true;
      socket.cork();
      process.nextTick(() => {
        this.#corked = false;
        socket.uncork();
      });
    }
    socket.write(bytes);
  }

  get bufferedBytes(): number {
    return this.#socket.writableLength;
  }

  pause(): void {
    this.#paused = true;
    this.#socket.pause();
  }

  resume(): void {
    this.#paused = false;
    if (this.#pieces.length > 0) return this.#takeTurn();
    this.#socket.resume();
    // Not within this call: whoever resumes us may be about to work off what waited with it.
    queueMicrotask(() => this.#tellEnd());
  }

  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#pieces = [];
    this.#socket.destroy();
  }

  /** One piece, in its turn. */
  work(): boolean {
    if (!this.#paused) {
      const piece = this.#pieces.shift();
      if (piece !== undefined) this.#handlers?.data(piece);
    }
    if (this.#pieces.length > 0 && !this.#paused) return true;
    this.#inTurn = false;
    if (!this.#paused) this.#socket.resume();
    this.#tellEnd();
    this.#closeIfEmpty();
    return false;
  }

  #takeTurn(): void {
    if (this.#inTurn || this.#paused) return;
    this.#inTurn = true;
    turns.take(this);
    // Nothing more is read meanwhile: it waits in the kernel and slows the peer.
    if (this.#inTurn) this.#socket.pause();
  }

  #tellEnd(): void {
    if (this.#end !== 'seen' || this.#paused || this.#pieces.length > 0) return;
    this.#end = 'told';
    if (this.#handlers?.ended === undefined) this.#socket.end();
    else this.#handlers.ended();
  }

  #closeIfEmpty(): void {
    if (this.#state !== 'closing' || this.#pieces.length > 0) return;
    this.#state = 'closed';
    this.#handlers?.closed(this.#error);
  }
}
