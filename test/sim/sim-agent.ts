/** An agent of the simulation: a process with a RelayClient, which says things and takes what it is handed. */

import { RelayError } from '../../src/base/errors.ts';
import type { RelayClientHandlers, RelayClientOptions } from '../../src/client/contract.ts';
import { RelayClient } from '../../src/client/relay-client.ts';
import type { DeliverEnvelope } from '../../src/protocol/envelope.ts';
import { derivedId } from '../../src/protocol/ids.ts';
import { OutboxFiles } from '../../src/wrap/outbox-files.ts';
import { mistakeSpill } from './mistakes.ts';
import { simAttach } from './sim-ground.ts';
import type { SimMachine } from './sim-machine.ts';
import type { SimProcess } from './sim-process.ts';

/** Milliseconds in which all that is unanswered has come to the disk. */
const LATE_MS = 700;

/** How an agent behaves, the same in each of its lives. */
export interface Manner {
  name: string;
  injects: boolean;
  maxInflight: number;
  topics: readonly string[];
  /** Milliseconds it thinks about a message at most. */
  slowness: number;
  refuses: number;
  defers: number;
}

export class SimAgent {
  readonly manner: Manner;
  readonly life: number;
  readonly process: SimProcess;
  readonly client: RelayClient;
  /** It gave something back, which waits for its next session. */
  gaveBack = false;
  readonly #machine: SimMachine;

  constructor(machine: SimMachine, manner: Manner, life: number) {
    this.#machine = machine;
    this.manner = manner;
    this.life = life;
    this.process = machine.newProcess();
    const { witness } = machine;
    const handlers: RelayClientHandlers = {
      delivery: (envelope) => this.#handed(envelope),
      fate: (fate) => witness.told(manner.name, life, fate),
      stateChanged: (state) => machine.trace?.(`${manner.name}.${life} is ${state}`),
    };
    this.client = new RelayClient(
      {
        attach: () => simAttach(machine, this.process),
        identity: { agent: manner.name },
        capabilities: { ack: true, resume: true, injects: manner.injects, max_inflight: manner.maxInflight },
        topics: manner.topics,
        clock: this.process.clock,
        log: machine.log(`${manner.name}.${life}`),
        random: () => machine.random.next(),
        ...this.#onDisk(),
      },
      handlers,
    );
    this.client.start();
  }

  send(body: string, to: string | undefined, topic: string | undefined, ttlMs: number | undefined): void {
    const { witness, trace } = this.#machine;
    const id = derivedId('sim', body);
    witness.sent({ body, from: this.manner.name, life: this.life, to, topic, at: this.#machine.time.now });
    try {
      this.client.send({ id, to, topic, payload: { body }, ...(ttlMs === undefined ? {} : { ttlMs }) });
      witness.accepted(body);
    } catch (error) {
      trace?.(`not taken: ${RelayError.from(error).code}`);
    }
  }

  /** As a wrapper: says goodbye, and puts on disk what no relay has taken over. */
  async leave(): Promise<void> {
    await this.client.close();
    const { lost } = await this.client.keepUnsent();
    // What it waited for may have come after its death.
    if (lost === 0 && this.process.alive) this.#kept(0);
  }

  /** SIGKILL. What a relay leaves unanswered for long is on disk by then (P21). */
  kill(): void {
    if (!this.process.wasStopped && !this.#machine.fullOnce) this.#kept(LATE_MS);
    this.process.kill();
  }

  #kept(ms: number): void {
    const { witness, outboxMemory, time } = this.#machine;
    if (outboxMemory !== undefined) witness.kept(this.manner.name, this.life, time.now - ms);
  }

  /** The outbox as a wrapper has it, but small. */
  #onDisk(): Pick<RelayClientOptions, 'spill' | 'outbox'> {
    const { outboxMemory: messages, outboxes, options, witness } = this.#machine;
    if (messages === undefined) return {};
    const { name } = this.manner;
    const spill = new OutboxFiles({
      ground: outboxes.ground(this.process),
      name,
      now: () => this.process.clock.now(),
      damaged: (count, path) => witness.damaged(count, path),
      log: this.#machine.log(`${name}.${this.life} outbox`),
    });
    return { spill: mistakeSpill(spill, options.mistake), outbox: { memory: { messages, bytes: 2 ** 20 } } };
  }

  #handed(envelope: DeliverEnvelope): void {
    const { random, witness } = this.#machine;
    const { name, slowness } = this.manner;
    witness.handed(name, this.life, envelope);
    this.process.soon(random.next() * slowness, () => this.#decide(envelope));
  }

  #decide(envelope: DeliverEnvelope): void {
    const { random, witness, faulty } = this.#machine;
    const { name, refuses, defers } = this.manner;
    // As the injector: what cannot be typed now waits, until it is no longer ours.
    if (!this.client.mayType(envelope)) {
      if (this.client.state !== 'ready' && this.client.state !== 'closed') {
        this.process.soon(50, () => this.#decide(envelope));
      }
      return;
    }
    const roll = faulty ? random.next() : 1;
    if (roll < refuses) this.client.refuse(envelope, 'REJECTED', 'simulated');
    else if (roll < refuses + defers) {
      this.gaveBack = true;
      this.client.defer(envelope, 'simulated');
    } else {
      witness.taken(name, this.life, String(envelope.payload.body));
      this.client.ack(envelope);
    }
  }
}
