import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Attachment } from '../../../src/client/attachment.ts';
import { encodeEnvelope, newEnvelope, parseEnvelope } from '../../../src/protocol/envelope.ts';
import { FrameDecoder } from '../../../src/protocol/frame.ts';
import { Place } from '../../helpers/place.ts';
import { waitFor } from '../../helpers/wait-for.ts';

const run = promisify(execFile);
let place: Place;
let leader: Attachment;
let path: string;

beforeEach(async () => {
  place = new Place();
  leader = await place.attach();
  // Until its store is read, health says `recovering`.
  await leader.call('relay-status', {});
  path = join(place.directory, 'relay.sock');
});
afterEach(() => place.remove());

/** A raw socket with everything it was sent. */
function dial(): Promise<{
  socket: Socket;
  text: () => string;
  types: () => string[];
  closed: () => boolean;
}> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const decoder = new FrameDecoder();
    const chunks: Buffer[] = [];
    const types: string[] = [];
    let closed = false;
    socket.on('data', (bytes) => {
      chunks.push(bytes);
      if (chunks[0]?.[0] !== 0) return;
      for (const body of decoder.push(bytes)) {
        const { type, payload } = parseEnvelope(body);
        // A leader that still reads its store says so first (P20).
        if (type === 'BUSY') continue;
        types.push(type === 'ERROR' ? `ERROR ${(payload as { code: string }).code}` : type);
      }
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      closed = true;
    });
    socket.on('connect', () =>
      resolve({
        socket,
        text: () => Buffer.concat(chunks).toString(),
        types: () => types,
        closed: () => closed,
      }),
    );
  });
}

const curl = async (...args: string[]) => {
  const { stdout } = await run('curl', ['-sS', '--unix-socket', path, ...args]);
  return stdout;
};

describe('P22 HTTP on the same socket', () => {
  it('answers curl: health, and a command by POST /rpc', async () => {
    expect(JSON.parse(await curl('http://relay/health'))).toMatchObject({
      status: 'ok',
      epoch: leader.epoch,
    });
    const call = JSON.stringify({ method: 'relay-connect', params: { agent: 'bob' } });
    const { result } = JSON.parse(await curl('-d', call, 'http://relay/rpc'));
    expect(result).toMatchObject({
      success: true,
      data: { protocol: 'agent-relay', endpoint: leader.endpoint },
    });
  });

  it('gives every failure one shape', async () => {
    const shape = {
      result: { success: false, error: { code: expect.any(String), suggestion: expect.any(String) } },
    };
    for (const args of [
      ['-d', '{"method', 'http://relay/rpc'],
      ['-d', '{}', 'http://relay/rpc'],
      ['http://relay/nowhere'],
      ['-d', '{"method":"relay-fly"}', 'http://relay/rpc'],
      ['-d', '{"method":"relay-send"}', 'http://relay/rpc'],
      ['-d', `{"method":"relay-help","params":${'['.repeat(500)}${']'.repeat(500)}}`, 'http://relay/rpc'],
      [
        '-H',
        'Authorization: Bearer as_unknownunknownunknown',
        '-d',
        '{"method":"relay-agents"}',
        'http://relay/rpc',
      ],
      ['-H', 'Authorization: Basic x', '-d', '{"method":"relay-agents"}', 'http://relay/rpc'],
    ]) {
      const answer = JSON.parse(await curl(...args));
      expect(answer, args.join(' ')).toMatchObject(shape);
      expect(answer.result.error.code, args.join(' ')).not.toBe('INTERNAL');
    }
  });

  it('refuses a body over 1 MiB', async () => {
    const client = await dial();
    client.socket.write('POST /rpc HTTP/1.1\r\nHost: relay\r\nContent-Length: 2000000\r\n\r\n');
    client.socket.write(Buffer.alloc(1_200_000, 0x20));
    await waitFor(() => client.text().includes('MESSAGE_TOO_LARGE'));
    expect(client.text()).toMatch(/^HTTP\/1.1 413/);
  });

  it.each([
    ['no HTTP', 'HELO relay\r\n\r\n', 400, 'BAD_REQUEST'],
    ['an endless header', `GET / HTTP/1.1\r\nX: ${'x'.repeat(40_000)}\r\n\r\n`, 431, 'MESSAGE_TOO_LARGE'],
    ['a header that does not end', 'GET /health HTTP/1.1\r\nHost: relay\r\n', 408, 'TIMEOUT'],
    [
      'a body that does not end',
      'POST /rpc HTTP/1.1\r\nHost: relay\r\nContent-Length: 10\r\n\r\n{',
      408,
      'TIMEOUT',
    ],
  ])('%s is refused in the same shape, and the connection closed', async (_, bytes, status, code) => {
    const client = await dial();
    client.socket.write(bytes);
    await waitFor(() => client.closed(), 'the end', 20_000);
    expect(client.text()).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(JSON.parse(client.text().split('\r\n\r\n')[1] as string)).toMatchObject({
      result: { success: false, error: { code } },
    });
  });

  it('serves 64 requests at once, and tells the next one to come again', async () => {
    const clients = await Promise.all(Array.from({ length: 64 }, () => dial()));
    for (const { socket } of clients) socket.write('GET /events HTTP/1.1\r\nHost: relay\r\n\r\n');
    await waitFor(() => clients.every((client) => client.text().includes('text/event-stream')));
    expect(JSON.parse(await curl('http://relay/health'))).toMatchObject({
      result: { error: { code: 'QUEUE_FULL', retryable: true } },
    });
    clients[0]?.socket.destroy();
    await waitFor(async () => JSON.parse(await curl('http://relay/health')).status === 'ok');
    for (const { socket } of clients) socket.destroy();
  });

  it('holds a scoped token to its commands and its own events (P10)', async () => {
    const token = `as_${'k'.repeat(43)}`;
    const scoped_token_hash = createHash('sha256').update(token).digest('hex');
    const bob = await dial();
    bob.socket.write(
      encodeEnvelope(newEnvelope('HELLO', { agent: 'bob', session: { scoped_token_hash } }, 0)),
    );
    await waitFor(() => bob.types().includes('WELCOME'));
    const rpc = async (method: string, params = {}) => {
      const authorization = `Authorization: Bearer ${token}`;
      const answer = await curl(
        '-H',
        authorization,
        '-d',
        JSON.stringify({ method, params }),
        'http://relay/rpc',
      );
      return JSON.parse(answer).result;
    };
    expect(await rpc('relay-status')).toMatchObject({ success: true, data: { agent: 'bob' } });
    expect(JSON.stringify(await rpc('relay-status'))).not.toMatch(/"s-[0-9a-f]{32}"/);
    expect((await rpc('relay-connect', { agent: 'eve' })).error.code).toBe('FORBIDDEN');
    const events = await dial();
    events.socket.write(`GET /events HTTP/1.1\r\nHost: relay\r\nAuthorization: Bearer ${token}\r\n\r\n`);
    await waitFor(() => events.text().includes('text/event-stream'));
    await leader.call('relay-send', { to: 'ann', body: 'not for bob' });
    await leader.call('relay-send', { to: 'bob', body: 'for bob' });
    await waitFor(() => events.text().includes('"to":"bob"'));
    expect(events.text()).not.toContain('"to":"ann"');
    expect(events.text()).not.toContain('for bob');
    for (const { socket } of [bob, events]) socket.destroy();
  });

  it('streams events, and a session’s coming is one', async () => {
    const client = await dial();
    client.socket.write('GET /events HTTP/1.1\r\nHost: relay\r\n\r\n');
    await waitFor(() => client.text().includes('text/event-stream'));
    await leader.call('relay-connect', { agent: 'bob' });
    await waitFor(() => client.text().includes('event: session'));
    expect(client.text()).toContain('"agent":"bob","state":"pending"');
    client.socket.destroy();
  });

  it('a long poll ends when the daemon leaves', async () => {
    const client = await place.attach({ mayLead: false });
    const polling = client.call('relay-poll', { waitMs: 30_000 });
    await waitFor(async () => ((await client.call('relay-status', {})) as { success: boolean }).success);
    await leader.close();
    expect(await polling).toMatchObject({
      success: false,
      error: { code: 'SHUTTING_DOWN', retryable: true },
    });
  });
});

describe('§2 framing on a real socket', () => {
  const hello = encodeEnvelope(newEnvelope('HELLO', { agent: 'bob' }, 0));
  const ping = encodeEnvelope(newEnvelope('PING', { nonce: 'n' }, 0));

  it('takes frames split at every byte', async () => {
    const bytes = Buffer.concat([hello, ping]);
    for (let at = 1; at < bytes.length; at += 7) {
      const client = await dial();
      client.socket.setNoDelay(true);
      client.socket.write(bytes.subarray(0, at));
      await new Promise((resolve) => setImmediate(resolve));
      client.socket.write(bytes.subarray(at));
      await waitFor(() => client.types().includes('PONG') || client.types()[0] === 'ERROR NAME_IN_USE');
      client.socket.write(encodeEnvelope(newEnvelope('BYE', {}, 0)));
      await waitFor(() => client.closed());
      expect(client.types().slice(0, 2)).toEqual(['WELCOME', 'PONG']);
    }
  });

  it('takes one byte at a time', async () => {
    const client = await dial();
    for (const byte of Buffer.concat([hello, ping])) {
      client.socket.write(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await waitFor(() => client.types().includes('PONG'));
    client.socket.destroy();
  });
});

describe('P12 a client that half-closes its socket', () => {
  const frames = (...more: Buffer[]) =>
    Buffer.concat([hello(), encodeEnvelope(newEnvelope('SEND', { body: 'x' }, 0, { to: 'user' })), ...more]);
  const bye = encodeEnvelope(newEnvelope('BYE', {}, 0));
  const inbox = async (): Promise<unknown[]> => {
    const answer = await curl('-d', '{"method":"relay-poll"}', 'http://relay/rpc');
    return JSON.parse(answer).result.data.messages;
  };

  it('after BYE is answered for all it said, BYE last', async () => {
    const client = await dial();
    client.socket.end(frames(bye));
    await waitFor(() => client.closed());
    expect(client.types()).toEqual(['WELCOME', 'ACK', 'BYE']);
    expect(await inbox()).toHaveLength(1);
  });

  it.each([
    ['after HELLO', () => frames()],
    ['before HELLO', () => Buffer.from([0])],
    ['before the first byte', () => Buffer.alloc(0)],
  ])('%s has left (P5)', async (_, bytes) => {
    const client = await dial();
    client.socket.end(bytes());
    await waitFor(() => client.closed());
    expect(client.types()).not.toContain('BYE');
    await waitFor(async () => JSON.parse(await curl('http://relay/health')).connections === 0);
  });
});

describe('P5 hostile input on a real socket', () => {
  it.each([
    ['a first byte that is neither', Buffer.from([0xff, 1, 2, 3]), ['ERROR FRAME_TOO_LARGE']],
    ['a frame over the limit', Buffer.from([0, 0xff, 0xff, 0xff]), ['ERROR FRAME_TOO_LARGE']],
    ['noise in a frame', Buffer.from([0, 0, 0, 2, 0xc3, 0x28]), ['ERROR BAD_FRAME']],
  ])('%s: ERROR reaches it before the close, and the daemon serves on', async (_, bytes, expected) => {
    const client = await dial();
    client.socket.write(bytes);
    await waitFor(() => client.closed());
    expect(client.types()).toEqual(expected);
    expect(client.text()).toMatch(/"message":"[^"]+","suggestion":"[^"]+"/);
    expect(JSON.parse(await curl('http://relay/health')).status).toBe('ok');
  });

  it('connections that vanish at once do no harm', async () => {
    for (let i = 0; i < 50; i++) {
      const client = await dial();
      client.socket.write(i % 2 ? hello() : 'GET /he');
      client.socket.destroy();
    }
    expect(JSON.parse(await curl('http://relay/health')).status).toBe('ok');
  });
});

const hello = () => encodeEnvelope(newEnvelope('HELLO', { agent: 'vanishing' }, 0));
