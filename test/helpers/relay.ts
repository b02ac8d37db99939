/** A daemon in memory with a clock that tests move, and clients that keep all they are sent. */
import { createHash } from 'node:crypto';
import type { CommandResult } from '../../src/afd/result.ts';
import { silentLog } from '../../src/base/log.ts';
import { Daemon, type DaemonOptions } from '../../src/daemon/daemon.ts';
import { MemoryStore } from '../../src/daemon/store/memory-store.ts';
import type { Store } from '../../src/daemon/store/store.ts';
import { type Envelope, type EnvelopeOf, newEnvelope } from '../../src/protocol/envelope.ts';
import { encodeFrame } from '../../src/protocol/frame.ts';
import type { MessageType, Payload } from '../../src/protocol/payloads.ts';
import { Connection } from '../../src/transport/connection.ts';
import type { Link } from '../../src/transport/link.ts';
import { memoryLinks } from '../../src/transport/memory.ts';
import { FakeClock, settle } from './fake-clock.ts';

type Hello = Payload<'HELLO'>;

/** Random bytes that are the same in each run. */
export function steadyRandom(seed = 'seed'): (count: number) => Buffer {
  let n = 0;
  return (count) => createHash('sha512').update(`${seed}${n++}`).digest().subarray(0, count);
}

export class TestRelay {
  readonly clock = new FakeClock();
  readonly daemon: Daemon;
  readonly failures: string[] = [];

  constructor(options: Partial<Omit<DaemonOptions, 'store'>> & { store?: Store } = {}) {
    this.daemon = new Daemon({
      store: new MemoryStore({ check: () => {} }),
      fence: { check: () => {} },
      clock: this.clock,
      log: silentLog,
      random: steadyRandom(),
      epoch: 1,
      namespace: 'default',
      endpoint: 'unix:///tmp/relay.sock',
      failed: (error) => this.failures.push(error.code),
      ...options,
      settings: { answerMs: 0, ...options.settings },
    });
  }

  /** A connection that has said nothing yet. */
  async connect(): Promise<TestClient> {
    await this.daemon.ready;
    const [ours, theirs] = memoryLinks();
    this.daemon.accept(theirs);
    return new TestClient(ours, this.clock);
  }

  /** A connection whose HELLO was answered. */
  async join(agent: string, more: Partial<Omit<Hello, 'agent'>> = {}): Promise<TestClient> {
    const client = await this.connect();
    client.say('HELLO', { agent, ...more });
    await settle();
    return client;
  }

  async call<T = Record<string, unknown>>(command: string, input: unknown = {}, token?: string): Promise<T> {
    const result = await this.try(command, input, token);
    if (!result.success) throw new Error(`${command}: ${JSON.stringify(result.error)}`);
    return result.data as T;
  }

  try(command: string, input: unknown = {}, token?: string): Promise<CommandResult> {
    return this.daemon.execute(command, input, { token });
  }

  /** A handoff token for the agent. */
  async handoff(agent: string): Promise<{ token: string; sessionId: string }> {
    type Handoff = { credentials: { token: string; sessionId: string } };
    return (await this.call<Handoff>('relay-connect', { agent })).credentials;
  }

  async pass(ms: number): Promise<void> {
    await this.clock.advanceAsync(ms);
    await settle();
  }
}

export class TestClient {
  readonly received: Envelope[] = [];
  closed = false;
  readonly #connection: Connection;
  readonly #link: Link;
  readonly #clock: FakeClock;
  /** Answers each DELIVER by itself. */
  acks = false;

  constructor(link: Link, clock: FakeClock) {
    this.#clock = clock;
    this.#link = link;
    this.#connection = new Connection(link);
    this.#connection.start({
      envelope: (envelope) => {
        this.received.push(envelope);
        if (envelope.type === 'PING') this.say('PONG', envelope.payload);
        if (envelope.type === 'DELIVER' && this.acks) this.say('ACK', { ack_id: envelope.id });
      },
      invalid: (error) => {
        throw error;
      },
      closed: () => {
        this.closed = true;
      },
    });
  }

  say<T extends MessageType>(
    type: T,
    payload: Payload<T>,
    more: Parameters<typeof newEnvelope>[3] = {},
  ): string {
    const envelope = newEnvelope(type, payload, this.#clock.now(), more);
    this.#connection.send(envelope);
    return envelope.id;
  }

  /** Sends a message that asks for `delivered`. */
  send(
    to: string | undefined,
    body: string,
    more: { id?: string; topic?: string; ttl?: number } = {},
  ): string {
    const { ttl, ...rest } = more;
    const meta = { requires_ack: true, ...(ttl === undefined ? {} : { ttl_ms: ttl }) };
    return this.say('SEND', { body }, { ...rest, ...(to === undefined ? {} : { to }), payload_meta: meta });
  }

  raw(bytes: Buffer): void {
    this.#link.write(bytes);
  }

  json(object: unknown): void {
    this.raw(encodeFrame(JSON.stringify(object)));
  }

  pause(): void {
    this.#connection.pause();
  }

  resume(): void {
    this.#connection.resume();
  }

  /** Cuts the connection without BYE. */
  cut(): void {
    this.#connection.destroy();
  }

  all<T extends MessageType>(type: T): EnvelopeOf<T>[] {
    return this.received.filter((envelope) => envelope.type === type) as EnvelopeOf<T>[];
  }

  last<T extends MessageType>(type: T): EnvelopeOf<T> {
    const found = this.all(type).at(-1);
    if (found === undefined) throw new Error(`no ${type}; got ${this.received.map((each) => each.type)}`);
    return found;
  }

  /** What it was told of a SEND: stages and codes, in order. */
  fates(id: string): string[] {
    return this.received.flatMap((envelope) => {
      if (envelope.type === 'ACK' && envelope.payload.ack_id === id)
        return [envelope.payload.stage ?? 'taken'];
      if (envelope.type === 'NACK' && envelope.payload.ack_id === id) return [envelope.payload.code];
      return [];
    });
  }

  bodies(): unknown[] {
    return this.all('DELIVER').map(({ payload }) => payload.body);
  }
}
