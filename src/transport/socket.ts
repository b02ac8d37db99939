/** A Node stream socket as a link. */
import type { Socket } from 'node:net';
import type { Link, LinkHandlers } from './link.ts';

export function socketLink(socket: Socket): Link {
  let error: Error | undefined;
  // Until start() nobody else listens, and an unheard 'error' would end the process.
  socket.on('error', (e) => {
    error = e;
  });
  let corked = false;
  return {
    start(handlers: LinkHandlers): void {
      socket.on('data', (bytes: Buffer) => handlers.data(bytes));
      socket.on('drain', () => handlers.drain());
      // A peer that only half-closes has said BYE or died: either way it is a disconnect (P5).
      socket.on('end', () => socket.end());
      if (socket.destroyed) queueMicrotask(() => handlers.closed(error));
      else socket.on('close', () => handlers.closed(error));
    },
    write(bytes: Buffer): void {
      if (socket.destroyed || socket.writableEnded) return;
      // All frames of one turn leave in one writev.
      if (!corked) {
        corked = true;
        socket.cork();
        process.nextTick(() => {
          corked = false;
          socket.uncork();
        });
      }
      socket.write(bytes);
    },
    get bufferedBytes() {
      return socket.writableLength;
    },
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    end: () => void socket.end(),
    destroy: () => void socket.destroy(),
  };
}
