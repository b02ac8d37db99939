/** What somebody sends who means harm, or does not know better. docs/protocol.md §2 "Bad input" (P5). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeEnvelope, newEnvelope } from '../../../src/protocol/envelope.ts';
import { encodeFrame } from '../../../src/protocol/frame.ts';
import type { Random } from '../../helpers/sim-files.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { DaemonProcess, withState } from '../daemon-process.ts';
import type { Fault } from '../fault.ts';
import { helloFrame, RawPeer } from '../raw-peer.ts';
import { Talkers } from '../talkers.ts';

const bytes = (random: Random, count: number) =>
  Buffer.from(Array.from({ length: count }, () => random.below(256)));

const framed = (body: Buffer): Buffer => {
  const header = Buffer.alloc(4);
  header.writeUInt32BE(body.length);
  return Buffer.concat([header, body]);
};

const raw = (type: string, payload: string, more = '') =>
  encodeFrame(`{"v":1,"type":"${type}","id":"x","ts":1,"payload":${payload}${more}}`);

const POLLUTION = '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}';

/** Each makes what is written; after a good HELLO where the second half of the name says so. */
const KINDS: Record<string, (random: Random, name: string) => Buffer> = {
  noise: (random) => bytes(random, 1 + random.below(4_000)),
  'noise in a frame': (random) => framed(bytes(random, random.below(4_000))),
  'a length over the limit': (random) => {
    const header = Buffer.alloc(8);
    header.writeUInt32BE(1024 * 1024 + 1 + random.below(2 ** 23));
    return header;
  },
  'a length that never comes': () => Buffer.from([0, 0x0f, 0xff, 0xff, 0x7b]),
  'deep JSON': () => raw('SEND', `{"body":"x","data":${'['.repeat(400_000)}${']'.repeat(400_000)}}`),
  'deep JSON, unclosed': () => raw('SEND', `{"data":${'{"a":'.repeat(150_000)}`),
  '__proto__ in HELLO': () =>
    raw(
      'HELLO',
      `{"agent":"proto","capabilities":${POLLUTION},"session":${POLLUTION},"__proto__":{"agent":"x"}}`,
    ),
  'a name from the prototype': (random) =>
    raw(
      'HELLO',
      `{"agent":"${['__proto__', 'constructor', 'toString', 'hasOwnProperty'][random.below(4)]}"}`,
    ),
  'half of a HTTP request': () => Buffer.from('POST /rpc HTTP/1.1\r\nContent-Le'),
  'HTTP with __proto__': () => {
    const body = `{"method":"__proto__","params":${POLLUTION}}`;
    return Buffer.from(`POST /rpc HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  },
  'HELLO, a SEND with __proto__': (random, name) =>
    Buffer.concat([
      helloFrame(name),
      raw(
        'SEND',
        `{"body":"x","data":${POLLUTION},"__proto__":1}`,
        `,"to":"${random.chance(0.5) ? '__proto__' : name}"`,
      ),
      raw('SUBSCRIBE', '{"topic":"__proto__"}'),
      raw('SEND', '{"body":"x"}', ',"topic":"__proto__"'),
      raw('RESUME', `{"session_id":"__proto__","agent":"${name}","streams":{"__proto__":{"last_seq":1}}}`),
    ]),
  'HELLO, numbers out of range': (_, name) =>
    Buffer.concat([
      helloFrame(name),
      raw('SEND', '{"body":"x"}', `,"to":"${name}","payload_meta":{"ttl_ms":-1e308}`),
      raw('SEND', '{"body":"x"}', `,"to":"${name}","payload_meta":{"ttl_ms":1e308}`),
      raw('ACK', '{"ack_id":"x","seq":-9007199254740993}'),
      raw('ACK', `{"topic":"default","peer":"${name}","up_to_seq":1e300}`),
      raw('NACK', '{"ack_id":"constructor","code":"x","message":"y"}'),
    ]),
  'HELLO, a frame with a byte changed': (random, name) => {
    const frame = encodeEnvelope(
      newEnvelope('SEND', { kind: 'message', body: 'x'.repeat(50) }, 1, { to: name }),
    );
    const at = 4 + random.below(frame.length - 4);
    frame[at] = random.below(256);
    return Buffer.concat([helloFrame(name), frame]);
  },
  'HELLO, what only the daemon says': (_, name) =>
    Buffer.concat([
      helloFrame(name),
      ...['WELCOME', 'DELIVER', 'SYNC', 'BUSY', 'ERROR', 'HELLO', 'nonsense'].map((type) => raw(type, '{}')),
    ]),
};

export const fault: Fault = {
  name: 'hostile-frames',
  criterion:
    'noise, wrong lengths, deep JSON, __proto__ keys, numbers out of range: each is answered with an error or closed, the ' +
    'daemon logs no failure of its own, and two neighbours’ messages all arrive',
  run: ({ amount, random }) =>
    withState(async (state) => {
      const count = amount('attacks', { quick: 100, usual: 2_000, full: 20_000 });
      const log = join(state, 'daemon.log');
      const daemon = await DaemonProcess.start(state, {}, '--log-file', log);
      const talkers = await Talkers.join(state, 2);
      talkers.talk();
      const wrong: string[] = [];
      const kinds = Object.entries(KINDS);
      for (let n = 0; n < count && daemon.alive; n++) {
        const [kind, make] = kinds[n % kinds.length] as (typeof kinds)[number];
        const peer = new RawPeer(state);
        peer.deaf = kind.includes('HTTP');
        const answered = () =>
          peer.closed || peer.types.some((type) => type !== 'WELCOME') || peer.text !== '';
        peer.socket.write(make(random, `evil-${n}`));
        // A PING behind it: whoever still listens answers that.
        if (kind.startsWith('HELLO')) peer.socket.write(raw('PING', '{"nonce":"n"}'));
        // What may still be the beginning of something is given its time (no-hello).
        else if (random.chance(0.5)) peer.socket.end();
        if (kind.startsWith('HELLO')) {
          await waitFor(answered, 'an answer').catch(() => wrong.push(`${kind}: no answer`));
        }
        if (n % 2 === 0) peer.socket.destroy();
        else setTimeout(() => peer.socket.destroy(), 1_000);
      }
      await talkers.traffic();
      const { wrong: judged, ...figures } = await talkers.judge();
      await talkers.leave();
      if (!daemon.alive) wrong.push(`the daemon ended: ${daemon.said}`);
      const failures = readFileSync(log, 'utf8')
        .split('\n')
        .filter((line) => line.includes('"level":"error"'));
      wrong.push(...failures.slice(0, 5));
      return { ...figures, wrong: [...wrong, ...judged], runs: count };
    }),
};
