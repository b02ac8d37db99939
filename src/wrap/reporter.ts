/**
 * Tells the relay how the agent is, for relay-agents and for those whose messages wait: changes only, at
 * most one a second, and never in anybody's way. A report that is lost is made up for by the next.
 */
import type { Clock, Timer } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { RelayClient } from '../client/relay-client.ts';

export interface AgentReport {
  status: string;
  /** What keeps messages from being typed. */
  waitsFor: string | undefined;
  speech: string;
}

/** Milliseconds between two reports. */
const PAUSE_MS = 1_000;

type Client = Pick<RelayClient, 'state' | 'sessionId' | 'call'>;

export class Reporter {
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #log: Log;
  #look: (() => AgentReport) | undefined;
  #timer: Timer | undefined;
  #lastAt = Number.NEGATIVE_INFINITY;
  /** As the relay knows it. */
  #told = '';
  #state: 'open' | 'closed' = 'open';

  constructor(client: Client, clock: Clock, log: Log) {
    this.#client = client;
    this.#clock = clock;
    this.#log = log;
  }

  /** From now on there is an agent to look at. */
  start(look: () => AgentReport): void {
    this.#look = look;
    this.changed();
  }

  /** The session is connected anew: the relay knows nothing of us. */
  renew(): void {
    this.#told = '';
    this.changed();
  }

  /** Something may have changed; cheap. */
  changed(): void {
    if (this.#state === 'closed' || this.#look === undefined) return;
    const wait = Math.max(0, this.#lastAt + PAUSE_MS - this.#clock.monotonic());
    this.#timer ??= this.#clock.after(wait, () => void this.#tell(), { unref: true });
  }

  close(): void {
    this.#state = 'closed';
    this.#timer?.cancel();
  }

  async #tell(): Promise<void> {
    this.#timer = undefined;
    const { sessionId, state } = this.#client;
    const report = this.#look?.();
    const text = JSON.stringify(report);
    if (state !== 'ready' || text === this.#told) return;
    this.#told = text;
    this.#lastAt = this.#clock.monotonic();
    try {
      await this.#client.call('relay-report', { sessionId, ...report });
    } catch (error) {
      this.#log.debug('report.lost', { error });
    }
  }
}
