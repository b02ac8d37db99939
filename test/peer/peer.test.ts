import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { callRpc } from '../../src/client/rpc.ts';
import { waitFor } from '../helpers/wait-for.ts';
import {
  loadPublished,
  type Payload,
  type PublishedClass,
  type PublishedClient,
} from './published-client.ts';

const CLI = resolve(import.meta.dirname, '../../bin/agent-wrap.js');

interface Heard {
  from: string;
  payload: Payload;
  id: string;
  meta: object | undefined;
  originalTo: string | undefined;
}

/** A broken connection is what the daemon's side of a reset looks like to it. */
interface Private {
  resumeToken: string;
  socket: { destroy(): void };
}

let home: string;
let daemon: ChildProcess | undefined;
let Published: PublishedClass;
const clients: PublishedClient[] = [];

const socketPath = () => join(home, 'agent-relay.sock');

async function startDaemon(): Promise<void> {
  daemon = spawn(process.execPath, [CLI, 'daemon', '--socket', socketPath()], {
    env: { ...process.env, XDG_STATE_HOME: home },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(daemon.stdout as NodeJS.ReadableStream, 'data');
}

async function endDaemon(signal: NodeJS.Signals): Promise<void> {
  if (daemon === undefined) return;
  const ended = once(daemon, 'exit');
  daemon.kill(signal);
  await ended;
  daemon = undefined;
}

/** Messages that are stored and not delivered: the log shows no others, while a count has them from the start. */
async function waiting(): Promise<number> {
  const { data } = (await callRpc(socketPath(), 'relay-log', { waiting: true, limit: 1_000 })) as {
    data: { messages: unknown[] };
  };
  return data.messages.length;
}

interface Joined {
  client: PublishedClient;
  heard: Heard[];
  states: string[];
}

async function joinAs(agentName: string): Promise<Joined> {
  const client = new Published({ socketPath: socketPath(), agentName, quiet: true, reconnectDelayMs: 20 });
  const heard: Heard[] = [];
  const states: string[] = [];
  client.onStateChange = (state) => states.push(state);
  client.onMessage = (from, payload, id, meta, originalTo) =>
    heard.push({ from, payload, id, meta, originalTo });
  clients.push(client);
  await client.connect();
  return { client, heard, states };
}

beforeEach(async () => {
  // It writes a line for each message, whatever `quiet` says.
  for (const level of ['log', 'warn', 'error'] as const)
    vi.spyOn(console, level).mockImplementation(() => {});
  home = mkdtempSync(join(tmpdir(), 'agent-wrap-peer-'));
  Published = await loadPublished();
  await startDaemon();
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await endDaemon('SIGTERM');
  rmSync(home, { recursive: true, force: true });
  vi.restoreAllMocks();
});

describe('The published 1.x client', () => {
  it('shakes hands and is given a session', async () => {
    const { client } = await joinAs('ann');
    expect(client.state).toBe('READY');
    expect(client.currentSessionId).toMatch(/^s-/);
  });

  it('gets messages in the order in which they were sent', async () => {
    const ann = await joinAs('ann');
    const bob = await joinAs('bob');
    for (let i = 0; i < 500; i++) ann.client.sendMessage('bob', String(i));
    await waitFor(() => bob.heard.length === 500, '500 messages');
    expect(bob.heard.map(({ payload }) => Number(payload.body))).toEqual([...Array(500).keys()]);
    expect(bob.heard[0]?.from).toBe('ann');
  });

  it('hears a broadcast with its original address, and not its own', async () => {
    const ann = await joinAs('ann');
    const bob = await joinAs('bob');
    const carl = await joinAs('carl');
    ann.client.broadcast('to all');
    ann.client.sendMessage('bob', 'to bob');
    await waitFor(() => bob.heard.length === 2 && carl.heard.length === 1, 'the broadcast');
    expect(bob.heard.map(({ originalTo }) => originalTo)).toEqual(['*', undefined]);
    expect(carl.heard[0]).toMatchObject({ from: 'ann', originalTo: '*', payload: { body: 'to all' } });
    expect(ann.heard).toEqual([]);
  });

  it('gets what was sent to the letter', async () => {
    const ann = await joinAs('ann');
    const bob = await joinAs('bob');
    const body =
      'Grüße 👩‍👩‍👧 \u0000 \u001b[31m \u2028 \ud83d\ude00 \ud800 alone "quoted" \\ back\r\nnext\ttab';
    const data = { deep: { list: [1, null, 'ä', { x: true }] }, __proto__x: 'kept', big: 2 ** 53 };
    const meta = { importance: 80, replyTo: 'abc', custom: { kept: ['as', 'it', 'is'] } };
    ann.client.sendMessage('bob', body, 'action', data, 'thread-7', meta);
    const got = await waitFor(() => bob.heard[0], 'the message');
    expect(got.payload).toEqual({ kind: 'action', body, data, thread: 'thread-7' });
    expect(got.meta).toEqual(meta);
  });

  it('gets bodies up to a megabyte less our headroom', async () => {
    const ann = await joinAs('ann');
    const bob = await joinAs('bob');
    // Of one byte and of three in UTF-8, no two of them alike anywhere.
    const bodies = [64 * 1024, 512 * 1024, 1024 * 1024 - 8 * 1024].flatMap((bytes) => [
      'abcdefg 0123456789'.repeat(bytes).slice(0, bytes),
      '漢字かな、交じり文。'.repeat(bytes).slice(0, Math.floor(bytes / 3)),
    ]);
    for (const body of bodies) ann.client.sendMessage('bob', body);
    await waitFor(() => bob.heard.length === bodies.length, 'the long ones');
    // Not by toEqual, which would print them.
    expect(bob.heard.map(({ payload }, n) => payload.body === bodies[n])).toEqual(bodies.map(() => true));
  });

  it('finds what was sent to it while it was away, all of it and in order', async () => {
    const ann = await joinAs('ann');
    const bob = await joinAs('bob');
    bob.client.destroy();
    for (let i = 0; i < 900; i++) ann.client.sendMessage('bob', String(i));
    const again = await joinAs('bob');
    await waitFor(() => again.heard.length === 900, 'the queue');
    expect(again.heard.map(({ payload }) => Number(payload.body))).toEqual([...Array(900).keys()]);
  });

  it('finds it though the daemon was killed meanwhile', async () => {
    const ann = await joinAs('ann');
    const bob = await joinAs('bob');
    bob.client.destroy();
    for (let i = 0; i < 300; i++) ann.client.sendMessage('bob', String(i));
    await waitFor(async () => (await waiting()) === 300, 'all of it to be stored');
    await endDaemon('SIGKILL');
    await startDaemon();
    const again = await joinAs('bob');
    await waitFor(() => again.heard.length >= 300, 'the queue');
    expect(again.heard.map(({ payload }) => Number(payload.body))).toEqual([...Array(300).keys()]);
  });

  it('resumes its session by its token when its connection breaks', async () => {
    const ann = await joinAs('ann');
    const bob = await joinAs('bob');
    const session = bob.client.currentSessionId;
    (bob.client as unknown as Private).socket.destroy();
    ann.client.sendMessage('bob', 'meanwhile');
    await waitFor(() => bob.client.state === 'READY' && bob.heard.length === 1, 'the session');
    expect(bob.client.currentSessionId).toBe(session);
    expect(bob.heard[0]?.payload.body).toBe('meanwhile');
  });

  it('gets a stream whole and in order however often its connection breaks, each time by a fresh token', async () => {
    const ann = await joinAs('ann');
    const bob = await joinAs('bob');
    const session = bob.client.currentSessionId;
    const private_ = bob.client as unknown as Private;
    const tokens = new Set([private_.resumeToken]);
    for (let i = 0; i < 1_000; i++) {
      ann.client.sendMessage('bob', String(i));
      if (i % 200 !== 199) continue;
      // In the middle of what is on its way.
      await waitFor(() => bob.heard.length > i - 150, 'some of it');
      private_.socket.destroy();
      await waitFor(() => bob.client.state !== 'READY', 'the break');
      await waitFor(() => bob.client.state === 'READY', 'the session');
      tokens.add(private_.resumeToken);
    }
    await waitFor(() => bob.heard.length >= 1_000, 'all of it');
    expect(bob.heard.map(({ payload }) => Number(payload.body))).toEqual([...Array(1_000).keys()]);
    expect(bob.client.currentSessionId).toBe(session);
    expect(tokens.size).toBe(6);
  });

  it('starts anew when its token is unknown', async () => {
    const bob = await joinAs('bob');
    const session = bob.client.currentSessionId;
    const private_ = bob.client as unknown as Private;
    private_.resumeToken = 'a token of another daemon';
    private_.socket.destroy();
    await waitFor(() => bob.client.state === 'READY' && bob.client.currentSessionId !== session, 'a session');
  });

  it('comes back by itself when the daemon was killed and another took its place', async () => {
    const ann = await joinAs('ann');
    const bob = await joinAs('bob');
    await endDaemon('SIGKILL');
    await startDaemon();
    await waitFor(() => ann.client.state === 'READY' && bob.client.state === 'READY', 'both');
    ann.client.sendMessage('bob', 'again');
    await waitFor(() => bob.heard.some(({ payload }) => payload.body === 'again'), 'the message');
  });

  it('is told of frames that we do not know, and stays', async () => {
    const ann = await joinAs('ann');
    const bob = await joinAs('bob');
    bob.client.joinChannel('#general');
    bob.client.sendLog('what its terminal shows');
    ann.client.sendMessage('bob', 'still there?');
    await waitFor(() => bob.heard.length === 1, 'the message');
    expect(bob.client.state).toBe('READY');
    expect(bob.states).toEqual(['CONNECTING', 'HANDSHAKING', 'READY']);
  });

  it('gets every one of 10,000 messages sent in one burst', async () => {
    const ann = await joinAs('ann');
    const bob = await joinAs('bob');
    const body = 'x'.repeat(190);
    for (let i = 0; i < 10_000; i++) ann.client.sendMessage('bob', `${String(i).padStart(9)} ${body}`);
    await waitFor(() => bob.heard.length === 10_000, '10,000 messages', 50_000);
    const numbers = bob.heard.map(({ payload }) => Number(payload.body.slice(0, 9)));
    expect(numbers).toEqual([...Array(10_000).keys()]);
  });
});
