/**
 * Deliveries → the agent: gate → keys or its own channel → ACK. In order, never twice, never into a draft
 * or a dialog. real-agents.md §6; P9, P12, P16.
 */
import { RelayError } from '../base/errors.ts';
import { sanitize } from '../base/sanitize.ts';
import type { DeliverEnvelope } from '../protocol/envelope.ts';
import { Gate, type GateOptions, type Holder, hasExpired, type Way } from './gate.ts';
import { Patience } from './patience.ts';
import type { Obstacle } from './readiness.ts';
import { render, shortId } from './render.ts';
import { type TypingOptions, typeIn } from './typing.ts';

export interface InjectorOptions extends GateOptions, Omit<TypingOptions, 'patience' | 'agent'> {
  /** The agent's speech is read from the screen. */
  echoed: boolean;
  /** Goes before the first message: the briefing of an agent that has no other place for it. */
  preface?: string | undefined;
}

export type RefusalCode = 'EXPIRED' | 'NOT_CONFIRMED' | 'MESSAGE_TOO_LARGE';

export interface InjectorHandlers {
  /** It was submitted. */
  submitted(envelope: DeliverEnvelope): void;
  /** It was not, and never will be by us. `NOT_CONFIRMED`: it may have been all the same. */
  refused(envelope: DeliverEnvelope, code: RefusalCode, message: string): void;
  /** What we wait for has changed; undefined: for nothing. */
  waiting?(reason: Obstacle | undefined): void;
}

/** Characters of several waiting messages that are given in one go: they still read as one prompt. */
const BATCH_CHARACTERS = 8_000;

export class Injector {
  readonly #options: InjectorOptions;
  readonly #handlers: InjectorHandlers;
  readonly #patience: Patience;
  readonly #gate: Gate;
  readonly #queue: DeliverEnvelope[] = [];
  #state: 'idle' | 'working' | 'closed' = 'idle';
  #prefaced = false;
  /** Ids in the queue that are the daemon's again. */
  readonly #released = new Set<string>();
  /** Ids that the agent's own record of its prompts has shown. */
  readonly #prompted = new Set<string>();

  constructor(options: InjectorOptions, handlers: InjectorHandlers) {
    this.#options = options;
    this.#handlers = handlers;
    this.#patience = new Patience(options.terminal, options.clock, () => this.#closed());
    this.#gate = new Gate(options, this.#patience, (reason) => handlers.waiting?.(reason));
  }

  /** What stands in the way of the next delivery. */
  get reason(): Obstacle | undefined {
    return this.#gate.reason;
  }

  get waiting(): number {
    return this.#queue.length;
  }

  /** Takes a delivery; it is ended by one call of `submitted` or `refused`, unless it is released or we close. */
  add(envelope: DeliverEnvelope): void {
    this.#queue.push(envelope);
    if (this.#state === 'idle') void this.#work();
  }

  /** These are the daemon's again: they are not typed, unless one stands in the agent's box already. */
  release(ids: readonly string[]): void {
    for (const id of ids) if (this.#queue.some((envelope) => envelope.id === id)) this.#released.add(id);
  }

  /** The person's word, given at the agent's terminal or to the relay: nothing is typed until it is taken back. */
  hold(by: Holder, held: boolean): void {
    this.#gate.hold(by, held);
  }

  /** A prompt the agent has taken, as its own record shows it: the surest confirmation. */
  prompted(text: string): void {
    for (const envelope of this.#queue) {
      if (text.includes(shortId(envelope))) this.#prompted.add(envelope.id);
    }
  }

  /** Stops. What was not submitted stays unACKed: the daemon keeps it. */
  close(): void {
    this.#state = 'closed';
  }

  async #work(): Promise<void> {
    this.#state = 'working';
    while (this.#queue.length > 0 && !this.#closed()) {
      const done = await this.#next(this.#queue[0] as DeliverEnvelope);
      for (const { id } of this.#queue.splice(0, done)) {
        this.#prompted.delete(id);
        this.#released.delete(id);
      }
    }
    this.#gate.clear();
    if (!this.#closed()) this.#state = 'idle';
  }

  /** Waits for a way for the next delivery, and gives it with what may go with it. How many of the queue are done. */
  async #next(head: DeliverEnvelope): Promise<number> {
    const way = await this.#gate.pass(head, () => this.#closed() || this.#released.has(head.id));
    if (way === 'gone') return 1;
    if (way === 'expired') {
      this.#refused([head], 'EXPIRED', 'its time to live ended before the agent was ready');
      return 1;
    }
    const batch = this.#batch();
    return (await this.#give(batch, way)) ? batch.length : 0;
  }

  #closed(): boolean {
    return this.#state === 'closed';
  }

  /**
   * Gives the batch to the agent; whatever fails is told, and nothing is given twice. False: the agent has
   * surely nothing of it, and it goes on waiting for a way.
   */
  async #give(batch: readonly DeliverEnvelope[], way: Way): Promise<boolean> {
    try {
      return await (way === 'native' ? this.#handOver(batch) : this.#type(batch));
    } catch (error) {
      this.#options.log.error('inject.failed', { ids: batch.map(({ id }) => id), error });
      this.#refused(batch, 'NOT_CONFIRMED', 'the wrapper failed while it typed the message');
      return true;
    }
  }

  /** By keys; false if the person threw it out before it was submitted. */
  async #type(batch: readonly DeliverEnvelope[]): Promise<boolean> {
    const result = await typeIn(
      {
        text: this.#text(batch),
        marks: batch.map(shortId),
        taken: () => batch.some(({ id }) => this.#prompted.has(id)),
      },
      { ...this.#options, patience: this.#patience },
    );
    if (result.outcome === 'withdrawn') return false;
    if (result.outcome === 'submitted') this.#submitted(batch);
    // Closed in the middle: the agent has ended, and the daemon keeps what it did not take.
    else if (!this.#closed()) this.#refused(batch, result.code, result.message);
    return true;
  }

  /** By the agent's own channel; false if it surely has nothing of it. */
  async #handOver(batch: readonly DeliverEnvelope[]): Promise<boolean> {
    const { agent, log } = this.#options;
    const ids = batch.map(({ id }) => id);
    log.debug('inject.hand-over', { ids, channel: agent.native?.name });
    try {
      await agent.native?.deliver(this.#text(batch), shortId(batch[0] as DeliverEnvelope));
    } catch (error) {
      log.warn('inject.native-failed', { ids, error });
      this.#gate.nativeFailed();
      if (!(error instanceof RelayError && error.code === 'NOT_CONFIRMED')) return false;
      // It may be there: given once more, the agent could read it twice. If the agent has ended, the daemon keeps it.
      if (!this.#closed()) this.#refused(batch, 'NOT_CONFIRMED', error.message);
      return true;
    }
    this.#submitted(batch);
    return true;
  }

  #submitted(batch: readonly DeliverEnvelope[]): void {
    this.#prefaced = true;
    for (const envelope of batch) this.#handlers.submitted(envelope);
  }

  #refused(batch: readonly DeliverEnvelope[], code: RefusalCode, message: string): void {
    for (const envelope of batch) this.#handlers.refused(envelope, code, message);
  }

  /** The next delivery, and those behind it that may go with it: each keeps its own header. */
  #batch(): DeliverEnvelope[] {
    const [head, ...others] = this.#queue as [DeliverEnvelope, ...DeliverEnvelope[]];
    const batch = [head];
    // A program we know nothing of reads lines, and gets one at a time.
    if (!this.#options.known) return batch;
    let characters = this.#text(batch).length;
    for (const envelope of others) {
      characters += this.#text([envelope]).length;
      if (characters > BATCH_CHARACTERS || !this.#mayGo(envelope)) break;
      batch.push(envelope);
    }
    return batch;
  }

  #mayGo(envelope: DeliverEnvelope): boolean {
    const ours = !this.#released.has(envelope.id) && this.#options.mayType(envelope);
    return ours && !hasExpired(envelope, this.#options.clock);
  }

  #text(batch: readonly DeliverEnvelope[]): string {
    const { preface, echoed } = this.#options;
    const text = batch.map((envelope) => render(envelope, { echoed })).join('\n\n');
    return preface === undefined || this.#prefaced ? text : `${sanitize(preface)}\n\n${text}`;
  }
}
