/** Reads a terminal (either end) into one buffer, each piece handed over as it comes. */
import type { OnReadOpts, SocketConstructorOpts } from 'node:net';
import { ReadStream } from 'node:tty';

/**
 * Starts to read `fd`, at most `bytes` at once. The chunk is the receiver's to keep. `pause()` takes
 * effect at once: no byte is read ahead. `destroy()` closes the descriptor.
 */
export function openTtyReader(fd: number, bytes: number, onChunk: (chunk: Buffer) => void): ReadStream {
  const onread: OnReadOpts = {
    buffer: Buffer.allocUnsafeSlow(bytes),
    callback: (count, buffer) => {
      onChunk(Buffer.from(buffer.subarray(0, count)));
      return true;
    },
  };
  // @types/node has `onread` at connect() only; the constructor of net.Socket takes it as documented.
  const reader = new ReadStream(fd, { onread } as SocketConstructorOpts);
  // Not resume(): at its first call the stream would start to read once more in the next tick, also
  // if it was paused meanwhile.
  reader.read(0);
  return reader;
}
