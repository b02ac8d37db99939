/** The floor as a bus: bare-relay.mjs, and frames that are as little as can be. */
import { once } from 'node:events';
import { connect } from 'node:net';
import type { OpenBus } from './bus.ts';

const NAME_AT = 5;

function encode(name: string, body: string): Buffer {
  const bytes = Buffer.allocUnsafe(NAME_AT + name.length + body.length);
  bytes.writeUInt32BE(bytes.length - 4);
  bytes[4] = name.length;
  bytes.write(name, NAME_AT, 'latin1');
  bytes.write(body, NAME_AT + name.length, 'latin1');
  return bytes;
}

export const openBare: OpenBus = async ({ at }, name, events) => {
  const socket = connect(at);
  await once(socket, 'connect');
  let unended = 0;
  let kept: Buffer = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    const bytes = kept.length === 0 ? chunk : Buffer.concat([kept, chunk]);
    let start = 0;
    while (bytes.length - start >= 4) {
      const end = start + 4 + bytes.readUInt32BE(start);
      if (end > bytes.length) break;
      const nameLength = bytes[start + 4] as number;
      if (nameLength > 0) {
        events.message(bytes.toString('latin1', start + NAME_AT + nameLength, end));
      } else {
        for (let left = bytes.readUInt32BE(start + NAME_AT); left > 0; left--) {
          unended--;
          events.ended();
        }
      }
      start = end;
    }
    kept = bytes.subarray(start);
  });
  const write = (bytes: Buffer) => {
    if (socket.writableCorked === 0) {
      socket.cork();
      process.nextTick(() => socket.uncork());
    }
    socket.write(bytes);
  };
  write(encode(name, ''));
  return {
    send(to, body) {
      unended++;
      write(encode(to, body));
    },
    get unended() {
      return unended;
    },
    close: async () => void socket.destroy(),
  };
};
