/** An agent's screen for those who follow it: real sockets. docs/people.md. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Clock, systemClock } from '../../../src/base/clock.ts';
import { silentLog } from '../../../src/base/log.ts';
import type { ScreenFrame } from '../../../src/protocol/screen-frame.ts';
import { screenSocketPath, screensDirectory } from '../../../src/transport/screen-sockets.ts';
import { connectUnix, listenUnix } from '../../../src/transport/unix.ts';
import { ScreenFollower } from '../../../src/watch/screen-follower.ts';
import { ScreenServer, type ScreenSource } from '../../../src/wrap/screen-server.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';
import { waitFor } from '../../helpers/wait-for.ts';

/** A screen that a test draws on. */
class Sheet implements ScreenSource {
  text = ['nothing'];
  looks = 0;
  readonly #listeners = new Set<() => void>();

  get listeners(): number {
    return this.#listeners.size;
  }

  async frame(): Promise<ScreenFrame> {
    this.looks++;
    return { cols: 80, rows: 24, text: this.text, cursor: { row: 0, column: 0 } };
  }

  onceChanged(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  draw(...text: string[]): void {
    this.text = text;
    for (const listener of this.#listeners) {
      this.#listeners.delete(listener);
      listener();
    }
  }
}

let directory: string;
let sheet: Sheet;
let closing: (() => void)[];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'agent-wrap-test-'));
  sheet = new Sheet();
  closing = [];
});
afterEach(() => {
  for (const close of closing.reverse()) close();
  rmSync(directory, { recursive: true, force: true });
});

async function serve(relayDirectory = directory, clock: Clock = systemClock): Promise<ScreenServer> {
  const server = await ScreenServer.open({
    relayDirectory,
    name: 'ada',
    source: sheet,
    clock,
    log: silentLog,
  });
  closing.push(() => server.close());
  return server;
}

function follow(relayDirectory = directory): (ScreenFrame | undefined)[] {
  const seen: (ScreenFrame | undefined)[] = [];
  const path = screenSocketPath(relayDirectory, 'ada');
  const follower = new ScreenFollower('ada', path, systemClock, (frame) => seen.push(frame));
  closing.push(() => follower.close());
  return seen;
}
const sees = (seen: readonly (ScreenFrame | undefined)[], text: string) =>
  waitFor(() => seen.at(-1)?.text[0] === text, `the screen ${text}`);

async function connect(): Promise<Socket> {
  const socket = await connectUnix(screenSocketPath(directory, 'ada'));
  socket.on('error', () => {});
  closing.push(() => socket.destroy());
  return socket;
}

describe('an agent’s screen, shown', () => {
  it('is there at once, and again after each change, for everybody who follows', async () => {
    await serve();
    const first = follow();
    await sees(first, 'nothing');
    sheet.draw('one');
    await sees(first, 'one');
    const second = follow();
    await sees(second, 'one');
    sheet.draw('two');
    await sees(first, 'two');
    await sees(second, 'two');
  });

  it('is not looked at while nobody follows', async () => {
    await serve();
    sheet.draw('unseen');
    expect([sheet.looks, sheet.listeners]).toEqual([0, 0]);
    const socket = await connect();
    await waitFor(() => sheet.looks > 0, 'a look');
    socket.destroy();
    await waitFor(() => sheet.listeners === 0, 'the end of looking');
    const { looks } = sheet;
    sheet.draw('unseen again');
    sheet.draw('and again');
    expect(sheet.looks).toBe(looks);
    const later = follow();
    await sees(later, 'and again');
  });

  it('is sent ten times a second at most, however often it changes, and the last is right', async () => {
    const clock = new FakeClock();
    await serve(directory, clock);
    const seen = follow();
    await sees(seen, 'nothing');
    for (let n = 1; n <= 100; n++) {
      sheet.draw(`${n}`);
      await new Promise((done) => setImmediate(done));
    }
    expect(sheet.looks).toBe(1);
    clock.advance(100);
    await sees(seen, '100');
    expect(sheet.looks).toBe(2);
  });

  it('cuts off a follower that does not read, and no other', async () => {
    await serve();
    const slow = await connect();
    slow.pause();
    const quick = follow();
    await sees(quick, 'nothing');
    let closed = false;
    slow.on('close', () => {
      closed = true;
    });
    for (let n = 0; n < 6; n++) {
      sheet.draw(`${n}`, 'x'.repeat(700_000));
      await sees(quick, `${n}`);
    }
    slow.resume();
    await waitFor(() => closed, 'the end of the slow one');
    sheet.draw('after');
    await sees(quick, 'after');
  });

  it('is for its owner alone, and gone with the wrapper', async () => {
    const server = await serve();
    const path = screenSocketPath(directory, 'ada');
    expect(statSync(screensDirectory(directory)).mode & 0o777).toBe(0o700);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const seen = follow();
    await sees(seen, 'nothing');
    server.close();
    server.close();
    expect(statSync(path, { throwIfNoEntry: false })).toBeUndefined();
    await waitFor(() => seen.at(-1) === undefined, 'word of the end');
    await serve();
    await sees(seen, 'nothing');
  });

  it('is not shown in a directory that others can write to', async () => {
    mkdirSync(screensDirectory(directory), { mode: 0o755 });
    await expect(serve()).rejects.toMatchObject({ code: 'DIRECTORY_UNSAFE' });
    const shared = join(directory, 'shared');
    mkdirSync(shared, { mode: 0o755 });
    await expect(serve(shared)).rejects.toMatchObject({ code: 'DIRECTORY_UNSAFE' });
    expect(readdirSync(shared)).toEqual([]);
  });

  it('replaces the socket of a wrapper that was killed, never that of one that lives', async () => {
    mkdirSync(screensDirectory(directory), { mode: 0o700 });
    // A socket file nobody listens at: what SIGKILL leaves.
    writeFileSync(screenSocketPath(directory, 'ada'), '');
    await serve();
    await expect(serve()).rejects.toMatchObject({ code: 'SOCKET_IN_THE_WAY' });
    await sees(follow(), 'nothing');
  });

  it('works where the path is too long for the kernel', async () => {
    const deep = join(directory, 'd'.repeat(120));
    mkdirSync(deep, { mode: 0o700 });
    const server = await serve(deep);
    await sees(follow(deep), 'nothing');
    server.close();
    const path = screenSocketPath(deep, 'ada');
    expect(statSync(path, { throwIfNoEntry: false })).toBeUndefined();
  });
});

describe('following a screen', () => {
  it.each([
    ['is no JSON', 'what?\n'],
    ['is no frame', '{"cols":-1}\n'],
    ['never ends', 'x'.repeat(2 * 1024 * 1024)],
  ])('survives a wrapper whose answer %s', async (_, answer) => {
    mkdirSync(screensDirectory(directory), { mode: 0o700 });
    let joined = 0;
    const liar = createServer((socket) => {
      joined++;
      socket.on('error', () => {});
      socket.write(answer);
    });
    await listenUnix(liar, screenSocketPath(directory, 'ada'));
    closing.push(() => liar.close());
    const seen = follow();
    await waitFor(() => joined >= 2, 'another try');
    expect(seen.every((frame) => frame === undefined)).toBe(true);
  });

  it('waits for a wrapper that is not there yet', async () => {
    const seen = follow();
    await waitFor(() => seen.length > 0, 'a try');
    await serve();
    await sees(seen, 'nothing');
  });
});
