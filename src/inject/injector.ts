/**
 * Deliveries → the agent: gate → keys or its own channel → ACK. In order, never twice, never into a draft
 * or a dialog. real-agents.md §6; P9, P12, P16.
 */
import type { NativeChannel } from '../agents/adapter.ts';
import { RelayError } from '../base/errors.ts';
import { sanitize } from '../base/sanitize.ts';
import type { DeliverEnvelope } from '../protocol/envelope.ts';
import { Patience } from './patience.ts';
import { type Obstacle, obstacle, type Surroundings } from './readiness.ts';
import { render, shortId } from './render.ts';
import { type TypingOptions, typeIn } from './typing.ts';

export interface InjectorOptions extends Omit<TypingOptions, 'patience'> {
  agent: TypingOptions['agent'] & { native: NativeChannel | undefined };
  /** The agent's speech is read from the screen. */
  echoed: boolean;
  /** `auto`: by keys when that is safe at once, else by the native channel if there is one. */
  mode: 'auto' | 'keys' | 'native';
  /** Goes before the first message: the briefing of an agent that has no other place for it. */
  preface?: string | undefined;
  /** May this delivery still be typed (P9)? */
  mayType: (envelope: DeliverEnvelope) => boolean;
}

/** Where the person has said that it is held. */
export type Holder = 'terminal' | 'relay';

export type RefusalCode = 'EXPIRED' | 'NOT_CONFIRMED' | 'MESSAGE_TOO_LARGE';

export interface InjectorHandlers {
  /** It was submitted. */
  submitted(envelope: DeliverEnvelope): void;
  /** It was not, and never will be by us. `NOT_CONFIRMED`: it may have been all the same. */
  refused(envelope: DeliverEnvelope, code: RefusalCode, message: string): void;
  /** What we wait for has changed; undefined: for nothing. */
  waiting?(reason: Obstacle | undefined): void;
}

/** How often the surroundings are looked at while time alone may clear them, and while only a change may. */
const LOOK_MS = 50;
const IDLE_LOOK_MS = 500;
/** Pause after a native channel failed: meanwhile keys are tried, where they may be. */
const NATIVE_PAUSE_MS = 10_000;
/** Characters of several waiting messages that are given in one go: they still read as one prompt. */
const BATCH_CHARACTERS = 8_000;
/** What a native channel need not wait for: it is the agent's own queue. */
const KEYS_ONLY: ReadonlySet<Obstacle> = new Set([
  'typing',
  'draft',
  'dialog',
  'busy',
  'other-view',
  'no-box',
  'printing',
  'no-echo',
]);

export class Injector {
  readonly #options: InjectorOptions;
  readonly #handlers: InjectorHandlers;
  readonly #patience: Patience;
  readonly #queue: DeliverEnvelope[] = [];
  #state: 'idle' | 'working' | 'closed' = 'idle';
  readonly #holds = new Set<Holder>();
  #reason: Obstacle | undefined;
  #prefaced = false;
  #nativeFailedAt = Number.NEGATIVE_INFINITY;
  /** Ids in the queue that are the daemon's again. */
  readonly #released = new Set<string>();
  /** Ids that the agent's own record of its prompts has shown. */
  readonly #prompted = new Set<string>();

  constructor(options: InjectorOptions, handlers: InjectorHandlers) {
    this.#options = options;
    this.#handlers = handlers;
    this.#patience = new Patience(options.terminal, options.clock, () => this.#closed());
  }

  /** What stands in the way of the next delivery. */
  get reason(): Obstacle | undefined {
    return this.#reason;
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
    if (held) this.#holds.add(by);
    else this.#holds.delete(by);
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
      const head = this.#queue[0] as DeliverEnvelope;
      const way = await this.#clear(head);
      const batch = way === 'none' ? [head] : this.#batch();
      if (way !== 'none' && !(await this.#give(batch, way))) continue;
      for (const { id } of this.#queue.splice(0, batch.length)) {
        this.#prompted.delete(id);
        this.#released.delete(id);
      }
    }
    this.#report(undefined);
    if (!this.#closed()) this.#state = 'idle';
  }

  #closed(): boolean {
    return this.#state === 'closed';
  }

  /**
   * Gives the batch to the agent; whatever fails is told, and nothing is given twice. False: the agent has
   * surely nothing of it, and it goes on waiting for a way.
   */
  async #give(batch: readonly DeliverEnvelope[], way: 'keys' | 'native'): Promise<boolean> {
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
    const { agent, clock, log } = this.#options;
    const ids = batch.map(({ id }) => id);
    log.debug('inject.hand-over', { ids, channel: agent.native?.name });
    try {
      await agent.native?.deliver(this.#text(batch), shortId(batch[0] as DeliverEnvelope));
    } catch (error) {
      log.warn('inject.native-failed', { ids, error });
      this.#nativeFailedAt = clock.monotonic();
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
    const expiresAt = envelope.delivery.expires_at ?? Number.POSITIVE_INFINITY;
    const ours = !this.#released.has(envelope.id) && this.#options.mayType(envelope);
    return ours && this.#options.clock.now() < expiresAt;
  }

  #text(batch: readonly DeliverEnvelope[]): string {
    const { preface, echoed } = this.#options;
    const text = batch.map((envelope) => render(envelope, { echoed })).join('\n\n');
    return preface === undefined || this.#prefaced ? text : `${sanitize(preface)}\n\n${text}`;
  }

  /** Waits for a way to the agent. `none`: it is not ours to give any more, or it has expired. */
  async #clear(envelope: DeliverEnvelope): Promise<'keys' | 'native' | 'none'> {
    for (;;) {
      if (this.#closed() || this.#released.has(envelope.id)) return 'none';
      const expiresAt = envelope.delivery.expires_at;
      if (expiresAt !== undefined && this.#options.clock.now() >= expiresAt) {
        this.#refused([envelope], 'EXPIRED', 'its time to live ended before the agent was ready');
        return 'none';
      }
      const reason = obstacle(await this.#surroundings(envelope)) ?? (await this.#hidden());
      const way = this.#way(reason);
      // Handed over behind a question, it waits there as well.
      const waits = way === undefined || (way === 'native' && reason === 'dialog');
      this.#report(waits ? (reason ?? 'no-channel') : undefined);
      // Looking took a moment, in which it may have been taken back: look at that last.
      if (way !== undefined) return this.#closed() || this.#released.has(envelope.id) ? 'none' : way;
      await this.#patience.pause(reason === 'typing' || reason === 'printing' ? LOOK_MS : IDLE_LOOK_MS);
    }
  }

  #way(reason: Obstacle | undefined): 'keys' | 'native' | undefined {
    const { agent, mode, clock } = this.#options;
    const rested = clock.monotonic() - this.#nativeFailedAt >= NATIVE_PAUSE_MS;
    const native = agent.native !== undefined && mode !== 'keys' && rested;
    if (native && (reason === undefined ? mode === 'native' : KEYS_ONLY.has(reason))) return 'native';
    const keys = mode !== 'native' || agent.native === undefined;
    return keys && reason === undefined ? 'keys' : undefined;
  }

  /** A terminal that edits lines and does not echo them asks for a password. Asked last: it costs a process. */
  async #hidden(): Promise<Obstacle | undefined> {
    if (this.#options.known) return undefined;
    const mode = await this.#options.terminal.lineMode();
    return mode?.canonical === true && !mode.echo ? 'no-echo' : undefined;
  }

  async #surroundings(envelope: DeliverEnvelope): Promise<Surroundings> {
    const { terminal, agent, known, clock, mayType } = this.#options;
    const view = known ? await terminal.view() : undefined;
    // All agents we know switch bracketed paste on when they are ready for text: before, it would be keys.
    const box = view === undefined ? 'unknown' : (view.bracketedPaste && agent.inputBox(view)) || 'missing';
    return {
      now: clock.monotonic(),
      state: agent.state.state,
      box,
      keysSinceSubmit: terminal.keysSinceSubmit,
      lastKeyAt: terminal.lastKeyAt,
      lastOutputAt: terminal.lastOutputAt,
      held: this.#holds.size > 0,
      relayReady: mayType(envelope),
      typeWhileBusy: agent.typeWhileBusy,
    };
  }

  #report(reason: Obstacle | undefined): void {
    if (this.#reason === reason) return;
    this.#reason = reason;
    this.#handlers.waiting?.(reason);
  }
}
