/** What comes for the agent → the injector → ACK or NACK. Deliveries that come before the agent runs wait here. */
import type { Prepared } from '../agents/adapter.ts';
import type { RelayClient } from '../client/relay-client.ts';
import { Injector } from '../inject/injector.ts';
import type { Obstacle } from '../inject/readiness.ts';
import type { DeliverEnvelope } from '../protocol/envelope.ts';
import type { WrappedTerminal } from './agent-terminal.ts';
import type { Notices } from './notices.ts';
import type { WrapperOptions } from './wrapper-options.ts';

/** What only the person can clear. */
const OF_THE_PERSON: ReadonlySet<Obstacle> = new Set(['held', 'draft', 'dialog']);

export interface VoiceOptions {
  options: Pick<WrapperOptions, 'adapter' | 'inject' | 'bell' | 'clock' | 'log'>;
  notices: Notices;
  /** Another message waits, or one less, or for something else. */
  changed: () => void;
  /** Sounds the bell of the person's terminal. */
  ring: () => void;
}

/** What the agent is spoken to with. */
export interface Instrument {
  client: RelayClient;
  terminal: WrappedTerminal;
  prepared: Prepared;
  /** Its speech is read from the screen. */
  echoed: boolean;
  preface: string | undefined;
}

export class Voice {
  readonly #options: VoiceOptions;
  #client: RelayClient | undefined;
  #injector: Injector | undefined;
  #early: DeliverEnvelope[] = [];
  #held = false;

  constructor(options: VoiceOptions) {
    this.#options = options;
  }

  /** Undefined before the agent runs, and where nothing is typed. */
  get injector(): Injector | undefined {
    return this.#injector;
  }

  /** There is an agent, and a relay to answer to. */
  start({ client, terminal, prepared, echoed, preface }: Instrument): void {
    const { options, notices } = this.#options;
    const { adapter, inject, clock, log } = options;
    this.#client = client;
    if (inject !== 'off') {
      this.#injector = new Injector(
        {
          terminal,
          agent: prepared,
          known: adapter.profile !== 'generic',
          echoed,
          mode: inject,
          preface: prepared.briefByMessage ? preface : undefined,
          mayType: (envelope) => notices.owns(envelope) || client.mayType(envelope),
          clock,
          log,
        },
        {
          submitted: (envelope) => {
            if (!notices.owns(envelope)) client.ack(envelope);
          },
          refused: (envelope, code, message) => {
            log.warn('inject.refused', { id: envelope.id, from: envelope.from, code, message });
            if (!notices.owns(envelope)) client.refuse(envelope, code, message);
          },
          waiting: (reason) => this.#waiting(reason),
        },
      );
    }
    this.#injector?.hold('relay', this.#held);
    for (const envelope of this.#early.splice(0)) this.deliver(envelope);
  }

  deliver(envelope: DeliverEnvelope): void {
    if (this.#client === undefined) this.#early.push(envelope);
    else if (this.#injector !== undefined) this.#injector.add(envelope);
    // Nobody types: the agent reads its messages itself, by relay-poll (P27).
    else this.#client.defer(envelope, 'this wrapper does not type: --inject off');
    this.#options.changed();
  }

  /** These are the daemon's again. */
  release(ids: readonly string[]): void {
    this.#injector?.release(ids);
  }

  /** The person holds the agent at the relay, or releases it. */
  hold(held: boolean): void {
    this.#held = held;
    this.#injector?.hold('relay', held);
  }

  get held(): boolean {
    return this.#held;
  }

  close(): void {
    this.#injector?.close();
  }

  #waiting(reason: Obstacle | undefined): void {
    const { options, changed, ring } = this.#options;
    options.log.info('inject.waiting', { reason: reason ?? 'none' });
    changed();
    if (options.bell && reason !== undefined && OF_THE_PERSON.has(reason)) ring();
  }
}
