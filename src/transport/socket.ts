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
    // A peer that only half-closes has said BYE or died: either way it is a disconnect (P5).
    socket.on('end', () => socket.end());
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
    if (this.#pieces.length > 0) this.#takeTurn();
    else this.#socket.resume();
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

  #closeIfEmpty(): void {
    if (this.#state !== 'closing' || this.#pieces.length > 0) return;
    this.#state = 'closed';
    this.#handlers?.closed(this.#error);
  }
}
