/**
 * A client written from the specification alone, with `cumulative_ack` beside: after a lost connection RESUME
 * with its positions, or HELLO with its resume token; now and then RESUME on a connection that lives, or a
 * second connection, which takes the session over; SEND until it is stored. docs/protocol.md §4, §8 (P7–P9, P23).
 */
import { DEFAULT_TOPIC } from '../../src/protocol/address.ts';
import { type DeliverEnvelope, type Envelope, newEnvelope } from '../../src/protocol/envelope.ts';
import { derivedId } from '../../src/protocol/ids.ts';
import type { MessageType, Payload } from '../../src/protocol/payloads.ts';
import { Connection } from '../../src/transport/connection.ts';
import { openToLeader } from './sim-ground.ts';
import type { SimMachine } from './sim-machine.ts';
import type { SimProcess } from './sim-process.ts';

/** Milliseconds without a WELCOME after which it tries another connection. */
const PATIENCE_MS = 3_000;

export class SimSpecClient {
  readonly name: string;
  readonly #machine: SimMachine;
  readonly #process: SimProcess;
  #connection: Connection | undefined;
  #state: 'away' | 'ready' | 'over' = 'away';
  #session: string | undefined;
  #token: string | undefined;
  /** RESUMEs of this connection that no SYNC has answered. */
  #unsynced = 0;
  /** DELIVERs by id: it hands on what it has not seen in this session. */
  readonly #seen = new Set<string>();
  /** topic → the highest seq of it. */
  readonly #positions = new Map<string, number>();
  /** Not acknowledged yet, on this connection. */
  #unacknowledged: DeliverEnvelope[] = [];
  /** SENDs that nobody has promised to keep. */
  readonly #unstored = new Map<string, { body: string; to: string }>();

  constructor(machine: SimMachine, name: string) {
    this.#machine = machine;
    this.name = name;
    this.#process = machine.newProcess();
    this.#soonConnect();
  }

  get ready(): boolean {
    return this.#state === 'ready';
  }

  /** Nothing that it said is without an answer. */
  get content(): boolean {
    return this.ready && this.#unstored.size === 0 && this.#unsynced === 0;
  }

  send(body: string, to: string): void {
    const id = derivedId('sim', body);
    this.#machine.witness.sent({
      body,
      from: this.name,
      life: 0,
      to,
      topic: undefined,
      at: this.#machine.time.now,
    });
    this.#unstored.set(id, { body, to });
    if (this.ready) this.#transmit(id, { body, to });
  }

  close(): void {
    this.#state = 'over';
    this.#process.kill();
  }

  /** RESUME on the connection there is, or another connection for the session. */
  fuss(): void {
    if (!this.ready || this.#session === undefined) return;
    if (this.#machine.random.chance(0.6)) return this.#resume(this.#session);
    this.#state = 'away';
    void this.#connect();
  }

  #soonConnect(): void {
    this.#process.soon(this.#machine.random.next() * 500, () => void this.#connect());
  }

  async #connect(): Promise<void> {
    if (this.#state === 'over') return;
    try {
      const connection = new Connection(await openToLeader(this.#machine, this.#process));
      this.#connection = connection;
      this.#unacknowledged = [];
      this.#unsynced = 0;
      connection.start({
        envelope: (envelope) => this.#connection === connection && this.#received(envelope),
        invalid: (error) => this.#machine.witness.violated(`${this.name} got a bad frame: ${error.message}`),
        closed: () => this.#lost(connection),
      });
      if (this.#session === undefined) this.#hello();
      else if (this.#token === undefined || this.#machine.random.chance(0.5)) this.#resume(this.#session);
      else this.#hello({ resume_token: this.#token });
      this.#process.soon(PATIENCE_MS, () => {
        if (this.#connection === connection && !this.ready) connection.destroy();
      });
    } catch {
      this.#soonConnect();
    }
  }

  #hello(session?: { resume_token: string }): void {
    const capabilities = { ack: true, max_inflight: 8, cumulative_ack: true };
    this.#say('HELLO', { agent: this.name, capabilities, ...(session === undefined ? {} : { session }) });
  }

  #resume(session_id: string): void {
    const streams = Object.fromEntries(
      [...this.#positions].map(([topic, last_seq]) => [topic, { last_seq }]),
    );
    this.#unsynced += 1;
    this.#say('RESUME', { session_id, agent: this.name, streams });
  }

  #lost(connection: Connection): void {
    if (this.#connection !== connection || this.#state === 'over') return;
    this.#connection = undefined;
    this.#state = 'away';
    this.#soonConnect();
  }

  #received(envelope: Envelope): void {
    switch (envelope.type) {
      case 'WELCOME':
        if (this.#session !== envelope.payload.session_id) this.#seen.clear();
        this.#session = envelope.payload.session_id;
        this.#token = envelope.payload.resume_token;
        this.#state = 'ready';
        for (const [id, message] of this.#unstored) this.#transmit(id, message);
        return;
      case 'DELIVER':
        return this.#delivered(envelope);
      case 'ACK':
        return void this.#unstored.delete(envelope.payload.ack_id ?? '');
      case 'NACK':
        return this.#refused(envelope.payload);
      case 'SYNC':
        this.#unsynced -= 1;
        return;
      case 'PING':
        return this.#say('PONG', envelope.payload);
      case 'BYE':
      case 'ERROR':
        if (envelope.type === 'BYE' || envelope.payload.fatal === true) this.#connection?.destroy();
        return;
      default:
        return;
    }
  }

  #refused({ ack_id, code }: Payload<'NACK'>): void {
    if (code === 'STALE') {
      // The connection stays: a fresh HELLO may follow on it (spec §8), if it has no session yet.
      this.#session = undefined;
      this.#unsynced -= 1;
      if (!this.ready) this.#hello();
      else this.#connection?.destroy();
    } else if (code === 'QUEUE_FULL' || code === 'STORE_FULL') {
      const connection = this.#connection;
      this.#process.soon(500, () => {
        const message = this.#unstored.get(ack_id);
        if (message !== undefined && connection === this.#connection) this.#transmit(ack_id, message);
      });
    } else {
      this.#unstored.delete(ack_id);
    }
  }

  #delivered(envelope: DeliverEnvelope): void {
    const { witness, random } = this.#machine;
    const topic = envelope.topic ?? DEFAULT_TOPIC;
    this.#positions.set(topic, Math.max(this.#positions.get(topic) ?? 0, envelope.delivery.seq));
    if (!this.#seen.has(envelope.id)) {
      this.#seen.add(envelope.id);
      witness.handed(this.name, 0, envelope);
      witness.taken(this.name, 0, String(envelope.payload.body));
    }
    this.#unacknowledged.push(envelope);
    const connection = this.#connection;
    this.#process.soon(random.next() * 50, () => {
      if (connection === this.#connection && this.ready) this.#acknowledge(envelope);
    });
  }

  /** One by one, or all of a stream up to here. */
  #acknowledge(envelope: DeliverEnvelope): void {
    const of = ({ from, topic }: DeliverEnvelope) => `${from}\0${topic ?? DEFAULT_TOPIC}`;
    const { seq } = envelope.delivery;
    if (!this.#unacknowledged.includes(envelope)) return;
    if (this.#machine.random.chance(0.5)) {
      this.#unacknowledged = this.#unacknowledged.filter((each) => each !== envelope);
      return this.#say('ACK', { ack_id: envelope.id, seq });
    }
    this.#unacknowledged = this.#unacknowledged.filter(
      (each) => of(each) !== of(envelope) || each.delivery.seq > seq,
    );
    const topic = envelope.topic ?? DEFAULT_TOPIC;
    this.#say('ACK', { topic, peer: envelope.from ?? '', up_to_seq: seq });
  }

  #transmit(id: string, { body, to }: { body: string; to: string }): void {
    this.#connection?.send(newEnvelope('SEND', { body }, this.#process.clock.now(), { id, to }));
  }

  #say<T extends MessageType>(type: T, payload: Payload<T>): void {
    this.#connection?.send(newEnvelope(type, payload, this.#process.clock.now()));
  }
}
