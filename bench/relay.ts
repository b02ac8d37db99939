/**
 * The relay beside a raw unix-socket echo, a bare relay in Node, Redis Streams and NATS JetStream, each with
 * two client processes that take turns in one run: round trips, throughput, a burst, CPU of the server; and of
 * the relay alone, takeover after kill -9 and fan-out. `npm run -s build && npx tsx bench/relay.ts [--rounds N]
 * [--pings N] [--burst N] [--takeovers N] [--crowd N] [--only PARTS]`. What is not installed is skipped with a
 * line; PARTS are parts of names, comma-separated, for a look at some. A burst of 0 leaves it out.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { PREPARE_MS } from '../src/wrap/attach.ts';
import { waitFor } from '../test/helpers/wait-for.ts';
import type { BusPlace } from './bus.ts';
import { bundlePeer, Peer } from './peer.ts';
import type { Order } from './relay-peer.ts';
import { median, nowUs, printCells, quantile } from './table.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    pings: { type: 'string', default: '1000' },
    burst: { type: 'string', default: '10000' },
    takeovers: { type: 'string', default: '10' },
    crowd: { type: 'string', default: '100' },
    only: { type: 'string', default: '' },
  },
});
const ROUNDS = Number(values.rounds);
const PINGS = Number(values.pings);
const BURST = Number(values.burst);
const TAKEOVERS = Number(values.takeovers);
const CROWD = Number(values.crowd);
const ONLY = values.only.split(',');
const BYTES = 200;
/** Milliseconds in which a candidate has prepared itself once it began to. */
const PREPARED_MS = 500;
/** SENDs under way at once. */
const WINDOW = 1_024;
const CLI = resolve(import.meta.dirname, '../bin/agent-wrap.js');
const BARE = resolve(import.meta.dirname, 'bare-relay.mjs');
const home = mkdtempSync(join(tmpdir(), 'agent-wrap-bench-'));

/** A server that is measured, or none where the relay is hosted by a client. */
interface Server {
  place: BusPlace;
  /** Whose CPU is counted. */
  child: ChildProcess | undefined;
  stop(): Promise<void>;
}

interface Candidate {
  name: string;
  start(): Promise<Server>;
}

interface Figures {
  trips: number[];
  perSecond: number[];
  cpuUs: number[];
  lost: number;
}

/** Microseconds of CPU a process has used; /proc counts in ticks of 10 ms. */
function cpuUs(child: ChildProcess): number {
  const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}

async function end(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill(signal);
  await ended;
}

let places = 0;
function newPlace(): string {
  const path = join(home, String(++places));
  mkdirSync(path);
  return path;
}

async function startDaemon(at: string, durability: 'sync' | 'process'): Promise<ChildProcess> {
  const child = spawn(process.execPath, [CLI, 'daemon', '--namespace', 'bench', '--durability', durability], {
    env: { ...process.env, XDG_STATE_HOME: at },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  return child;
}

const relay = (
  placement: 'apart' | 'in a client',
  durability: 'sync' | 'process',
  until: 'stored' | 'delivered' = 'stored',
): Candidate => ({
  name: `agent-wrap, host ${placement}, ${durability}${until === 'delivered' ? ', until delivered' : ''}`,
  async start() {
    const at = newPlace();
    const place = { system: 'relay' as const, at, durability, until, mayLead: placement === 'in a client' };
    const child = placement === 'apart' ? await startDaemon(at, durability) : undefined;
    return { place, child, stop: async () => child && end(child) };
  },
});

/** The least that Node allows between two processes: what is above it is ours. */
const bare = (durability: 'sync' | 'process'): Candidate => ({
  name: `a bare relay in Node, ${durability === 'sync' ? 'fdatasync' : 'no store'}`,
  async start() {
    const dir = newPlace();
    const path = join(dir, 'bare.sock');
    const words = [BARE, path, ...(durability === 'sync' ? [join(dir, 'log')] : [])];
    const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    return { place: { system: 'bare', at: path }, child, stop: () => end(child) };
  },
});

const redis = (fsync: 'everysec' | 'always'): Candidate => ({
  name: `Redis Streams, AOF ${fsync}`,
  async start() {
    const dir = newPlace();
    const path = join(dir, 'redis.sock');
    const options = { unixsocket: path, port: '0', appendonly: 'yes', appendfsync: fsync, dir, save: '' };
    const words = Object.entries(options).flatMap(([key, value]) => [`--${key}`, value]);
    const child = spawn('redis-server', words, { stdio: 'ignore' });
    await waitFor(() => reachable({ path }), 'redis');
    return { place: { system: 'redis', at: path }, child, stop: () => end(child) };
  },
});

const nats: Candidate = {
  name: 'NATS JetStream, file store',
  async start() {
    const dir = newPlace();
    const words = ['-js', '-sd', dir, '-a', '127.0.0.1', '-p', '-1', '--ports_file_dir', dir];
    const child = spawn('nats-server', words, { stdio: 'ignore' });
    const port = await waitFor(() => {
      const file = readdirSync(dir).find((name) => name.endsWith('.ports'));
      const ports = file === undefined ? '' : readFileSync(join(dir, file), 'utf8');
      return /:(\d+)/.exec(ports)?.[1];
    }, 'nats-server');
    return { place: { system: 'nats', at: port }, child, stop: () => end(child) };
  },
};

function reachable(address: { path: string }): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(address);
    socket.on('connect', () => socket.end(() => done(true)));
    socket.on('error', () => done(false));
  });
}

const installed = (program: string): boolean => {
  const found = spawnSync(program, ['--version'], { stdio: 'ignore' }).error === undefined;
  if (!found) console.log(`skipped: ${program} is not installed`);
  return found;
};

async function measure(candidate: Candidate, into: Figures): Promise<void> {
  const server = await candidate.start();
  // The first one hosts, if a client does.
  const bob = await Peer.open(home, server.place, 'bob');
  const ann = await Peer.open(home, { ...server.place, mayLead: false }, 'ann');
  try {
    const ping = (count: number) =>
      ann.ask<{ times: number[] }>({ do: 'ping', to: 'bob', count, bytes: BYTES }, 'times');
    await ping(200);
    into.trips.push(...(await ping(PINGS)).times);
    if (BURST === 0) return;
    await burst(ann, bob, BURST / 5);
    const before = server.child && cpuUs(server.child);
    const { us, lost } = await burst(ann, bob, BURST);
    if (server.child && before !== undefined) into.cpuUs.push((cpuUs(server.child) - before) / BURST);
    into.perSecond.push((BURST / us) * 1e6);
    into.lost += lost;
  } finally {
    await ann.end();
    await bob.end();
    await server.stop();
  }
}

async function burst(from: Peer, to: Peer, count: number): Promise<{ us: number; lost: number }> {
  await to.ask({ do: 'expect', count }, 'expecting');
  const all = to.answer<{ us: number }>('arrived');
  const order: Order = { do: 'send', to: 'bob', count, bytes: BYTES, window: WINDOW };
  const { beganUs } = await from.ask<{ beganUs: number }>(order, 'beganUs');
  const late = new Promise<undefined>((done) => setTimeout(() => done(undefined), 60_000).unref());
  const arrived = await Promise.race([all, late]);
  if (arrived === undefined) return { us: Number.NaN, lost: count };
  return { us: arrived.us - beganUs, lost: 0 };
}

/** The floor: the same bytes there and back, nothing in between but a process. */
async function echo(into: Figures): Promise<void> {
  const path = join(newPlace(), 'echo.sock');
  const code = `require('net').createServer((s) => s.pipe(s)).listen(process.argv[1], () => console.log('up'))`;
  const child = spawn(process.execPath, ['-e', code, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  const socket = connect(path);
  await once(socket, 'connect');
  const message = Buffer.alloc(BYTES, 'x');
  let received = 0;
  let heard: () => void = () => {};
  socket.on('data', (bytes) => {
    received += bytes.length;
    heard();
  });
  const until = (bytes: number) =>
    new Promise<void>((done) => {
      heard = () => received >= bytes && done();
      heard();
    });
  for (let i = 0; i < PINGS; i++) {
    const began = nowUs();
    received = 0;
    socket.write(message);
    await until(BYTES);
    into.trips.push(nowUs() - began);
  }
  if (BURST === 0) {
    socket.destroy();
    return end(child);
  }
  received = 0;
  const began = nowUs();
  for (let sent = 0; sent < BURST; sent++) {
    socket.write(message);
    if (sent - received / BYTES >= WINDOW) await until((sent - WINDOW / 2) * BYTES);
  }
  await until(BURST * BYTES);
  into.perSecond.push((BURST / (nowUs() - began)) * 1e6);
  socket.destroy();
  await end(child);
}

/**
 * kill -9 of a daemon with ten clients, until the last of them is READY at another. They have had the time to
 * prepare for it, as agents have that work for longer than a moment.
 */
async function takeover(): Promise<number> {
  const at = newPlace();
  const daemon = await startDaemon(at, 'sync');
  const place = { system: 'relay' as const, at, durability: 'sync' as const, mayLead: true };
  const names = (side: string) => Array.from({ length: 5 }, (_, i) => `${side}${i}`);
  const peers = await Promise.all([
    Peer.open(home, place, ...names('a')),
    Peer.open(home, place, ...names('b')),
  ]);
  await sleep(PREPARE_MS + PREPARED_MS);
  const back = new Set<string>();
  let last = 0;
  const killedUs = nowUs();
  for (const peer of peers) {
    peer.each(({ readyUs = 0, name }) => {
      if (name === undefined || readyUs < killedUs) return;
      back.add(name);
      last = Math.max(last, readyUs);
    });
  }
  await end(daemon, 'SIGKILL');
  await waitFor(() => back.size === 10, 'all clients', 60_000);
  for (const peer of peers) await peer.end();
  return (last - killedUs) / 1000;
}

/** From the SEND of a broadcast until the last of the crowd has it, ms. */
async function fanOut(): Promise<number[]> {
  const server = await relay('apart', 'sync').start();
  const names = Array.from({ length: CROWD }, (_, i) => `c${i}`);
  const crowd = await Peer.open(home, server.place, ...names);
  const ann = await Peer.open(home, server.place, 'ann');
  const times: number[] = [];
  for (let i = 0; i < 20; i++) {
    await crowd.ask({ do: 'expect', count: CROWD }, 'expecting');
    const all = crowd.answer<{ us: number; sentUs: number }>('arrived');
    await ann.ask({ do: 'send', to: '*', count: 1, bytes: BYTES, window: 1_000 }, 'beganUs');
    const { us, sentUs } = await all;
    times.push((us - sentUs) / 1000);
  }
  await ann.end();
  await crowd.end();
  await server.stop();
  return times;
}

const candidates: Candidate[] = [
  relay('apart', 'sync'),
  relay('apart', 'sync', 'delivered'),
  relay('in a client', 'sync'),
  relay('apart', 'process'),
  relay('in a client', 'process'),
  bare('sync'),
  bare('process'),
  ...(installed('redis-server') ? [redis('always'), redis('everysec')] : []),
  ...(installed('nats-server') ? [nats] : []),
].filter(({ name }) => ONLY.some((part) => name.includes(part)));
const noFigures = (): Figures => ({ trips: [], perSecond: [], cpuUs: [], lost: 0 });

try {
  await bundlePeer(home);
  const floor = noFigures();
  const figures = new Map(candidates.map(({ name }) => [name, noFigures()]));
  for (let round = 0; round < ROUNDS; round++) {
    await echo(floor);
    for (const candidate of candidates) await measure(candidate, figures.get(candidate.name) as Figures);
  }
  const row = (name: string, { trips, perSecond, cpuUs, lost }: Figures) => [
    name,
    `${Math.round(median(trips))}`,
    `${Math.round(quantile(trips, 0.99))}`,
    (median(trips) / median(floor.trips)).toFixed(1),
    `${Math.round(median(perSecond))}`,
    (median(floor.perSecond) / median(perSecond)).toFixed(1),
    cpuUs.length === 0 ? '' : median(cpuUs).toFixed(1),
    `${lost}`,
  ];
  const head = ['', 'trip p50 µs', 'p99 µs', '÷ echo', 'messages/s', 'echo ÷', 'server CPU µs', 'lost'];
  printCells([
    head,
    row('raw unix-socket echo', floor),
    ...candidates.map(({ name }) => row(name, figures.get(name) as Figures)),
  ]);
  if (TAKEOVERS > 0) {
    const times: number[] = [];
    for (let i = 0; i < TAKEOVERS; i++) times.push(await takeover());
    console.log(
      `kill -9 of the leader until 10 clients are READY: p50 ${median(times).toFixed(0)} ms, ` +
        `longest ${Math.max(...times).toFixed(0)} ms of ${TAKEOVERS}`,
    );
  }
  if (CROWD > 0) {
    const times = await fanOut();
    console.log(
      `a broadcast until the last of ${CROWD} has it: p50 ${median(times).toFixed(1)} ms, p99 ${quantile(times, 0.99).toFixed(1)} ms`,
    );
  }
} finally {
  rmSync(home, { recursive: true, force: true });
}
