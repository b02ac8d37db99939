import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Link } from '../../../src/transport/link.ts';
import { socketLink } from '../../../src/transport/socket.ts';
import { waitFor } from '../../helpers/wait-for.ts';

let folder: string;
let server: Server;
let links: Link[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'agent-wrap-link-'));
  links = [];
  server = createServer((socket) => links.push(socketLink(socket)));
  await new Promise<void>((up) => server.listen(join(folder, 's'), up));
});
afterEach(() => {
  for (const link of links) link.destroy();
  server.close();
  rmSync(folder, { recursive: true });
});

/** A client, and the link of the server's side. */
async function dial(): Promise<{ socket: Socket; link: Link }> {
  const at = links.length;
  const socket = connect(join(folder, 's'));
  socket.on('error', () => {});
  return { socket, link: await waitFor(() => links[at], 'a link') };
}

const spend = (ms: number) => {
  for (const until = performance.now() + ms; performance.now() < until; );
};

describe('a socket as a link', () => {
  it('hands over every byte in order, then the end, however often it is paused', async () => {
    const { socket, link } = await dial();
    const sent = randomBytes(3_000_000);
    const hash = createHash('sha256');
    let received = 0;
    let closedAt: number | undefined;
    link.start({
      data: (bytes) => {
        hash.update(bytes);
        received += bytes.length;
        spend(0.2);
        if (bytes[0] !== undefined && bytes[0] % 4 === 0) {
          link.pause();
          setImmediate(() => link.resume());
        }
      },
      drain: () => {},
      closed: () => {
        closedAt = received;
      },
    });
    socket.end(sent);
    await waitFor(() => closedAt !== undefined, 'the end');
    expect(closedAt).toBe(sent.length);
    expect(hash.digest('hex')).toBe(createHash('sha256').update(sent).digest('hex'));
  });

  it('a peer that sends without end does not keep another waiting', async () => {
    // Its own process: it fills the socket again while we read.
    const code = `require('net').connect(process.argv[1]).write(Buffer.alloc(8e6))`;
    const sender = spawn(process.execPath, ['-e', code, join(folder, 's')], { stdio: 'ignore' });
    try {
      const flood = await waitFor(() => links[0], 'a link');
      const quiet = await dial();
      let flooded = 0;
      let askedAt: number | undefined;
      /** Bytes of the flood that came before each byte of the other. */
      const waits: number[] = [];
      flood.start({
        data: (bytes) => {
          // In mid-flood, six times: how much of it comes first depends on the moment.
          if (flooded > 1_000_000 * (waits.length + 1) && askedAt === undefined && waits.length < 6) {
            askedAt = flooded;
            quiet.socket.write('x');
          }
          flooded += bytes.length;
          spend(bytes.length / 16_000);
        },
        drain: () => {},
        closed: () => {},
      });
      quiet.link.start({
        data: () => {
          waits.push(flooded - (askedAt as number));
          askedAt = undefined;
        },
        drain: () => {},
        closed: () => {},
      });
      await waitFor(() => waits.length === 6, 'the other peer');
      // Some pieces of 8 KB until it was its turn, not the megabytes that libuv reads of a socket at once.
      expect(Math.max(...waits)).toBeLessThan(100_000);
    } finally {
      sender.kill('SIGKILL');
    }
  });

  it('says the end once when it is destroyed with bytes not handed over', async () => {
    const { socket, link } = await dial();
    let ends = 0;
    link.start({
      data: () => {
        spend(2);
        link.destroy();
      },
      drain: () => {},
      closed: () => ends++,
    });
    socket.write(Buffer.alloc(100_000));
    await waitFor(() => ends > 0, 'the end');
    for (let turn = 0; turn < 10; turn++) await new Promise((done) => setImmediate(done));
    expect(ends).toBe(1);
  });
});
