/**
 * The least that a relay in Node can be, as the floor of bench/relay.ts: it reads frames, passes each on to the
 * connection of its recipient, and tells the sender how many it took. With a file it appends what came in one
 * turn, syncs it, and only then does either. No names, no order across connections, no second chance.
 * `node bare-relay.mjs SOCKET [FILE]`; a frame is a length (4 bytes), a name (1 byte its length), a body.
 */
import { fdatasync, openSync, writeSync } from 'node:fs';
import { createServer } from 'node:net';

const [path, file] = process.argv.slice(2);
const fd = file === undefined ? undefined : openSync(file, 'wx', 0o600);
const peers = new Map();
/** What came since the last sync began. */
let waiting = [];
let syncing = false;

function passOn(frames) {
  const taken = new Map();
  for (const { from, to, frame } of frames) {
    peers.get(to)?.write(frame);
    taken.set(from, (taken.get(from) ?? 0) + 1);
  }
  // No name and no body: so many were taken.
  for (const [from, count] of taken) {
    const answer = Buffer.alloc(9);
    answer.writeUInt32BE(5);
    answer.writeUInt32BE(count, 5);
    from.write(answer);
  }
  for (const socket of peers.values()) if (socket.writableCorked > 0) socket.uncork();
}

function sync() {
  if (syncing || waiting.length === 0) return;
  syncing = true;
  const group = waiting;
  waiting = [];
  writeSync(fd, Buffer.concat(group.map(({ frame }) => frame)));
  fdatasync(fd, (error) => {
    if (error) throw error;
    syncing = false;
    cork();
    passOn(group);
    sync();
  });
}

function cork() {
  for (const socket of peers.values()) socket.cork();
}

function serve(socket) {
  let kept = Buffer.alloc(0);
  let named = false;
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    const bytes = kept.length === 0 ? chunk : Buffer.concat([kept, chunk]);
    const frames = [];
    let at = 0;
    while (bytes.length - at >= 4) {
      const end = at + 4 + bytes.readUInt32BE(at);
      if (end > bytes.length) break;
      const to = bytes.toString('latin1', at + 5, at + 5 + bytes[at + 4]);
      // The first frame of a connection says whose it is.
      if (named) frames.push({ from: socket, to, frame: bytes.subarray(at, end) });
      else peers.set(to, socket);
      named = true;
      at = end;
    }
    kept = bytes.subarray(at);
    if (fd === undefined) {
      cork();
      passOn(frames);
    } else {
      waiting.push(...frames);
      setImmediate(sync);
    }
  });
}

createServer(serve).listen(path, () => console.log('up'));
