// The handoff by hand: reads the answer of relay-connect from stdin, then speaks frames to the socket.
import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { json } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const { data: handoff } = await json(process.stdin);
const agent = handoff.credentials.headers['agent-name'];
const socket = connect(fileURLToPath(handoff.endpoint.replace('unix:', 'file:')));

// A frame: 4 bytes of length, big-endian, then an envelope as JSON.
function say(type, payload, more = {}) {
  const body = Buffer.from(
    JSON.stringify({ v: 1, type, id: randomUUID(), ts: Date.now(), payload, ...more }),
  );
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length);
  socket.write(Buffer.concat([length, body]));
  console.log('>', type);
}

function heard({ id, type, from, payload }) {
  console.log('<', type, type === 'DELIVER' ? `from ${from}: ${payload.body}` : (payload.stage ?? ''));
  if (type === 'WELCOME') say('SEND', { body: 'note to self' }, { to: agent });
  if (type === 'DELIVER') say('ACK', { ack_id: id });
  if (type === 'DELIVER') say('BYE', {});
  if (type === 'ERROR') console.error(payload.message);
}

let buffer = Buffer.alloc(0);
socket.on('data', (bytes) => {
  buffer = Buffer.concat([buffer, bytes]);
  while (buffer.length >= 4 && buffer.length >= 4 + buffer.readUInt32BE()) {
    const end = 4 + buffer.readUInt32BE();
    heard(JSON.parse(buffer.subarray(4, end)));
    buffer = buffer.subarray(end);
  }
});

// The token travels in the first frame: not in the endpoint, and not in our arguments.
say('HELLO', { agent, capabilities: { ack: true }, session: { resume_token: handoff.credentials.token } });
