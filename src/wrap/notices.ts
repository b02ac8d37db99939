/** What the relay has to tell the agent itself: that something it said did not arrive. At most one a minute (P18). */
import type { Clock, Timer } from '../base/clock.ts';
import { ERRORS, isErrorCode } from '../base/errors.ts';
import type { Fate } from '../client/fate.ts';
import { DEFAULT_TOPIC, SYSTEM_NAME } from '../protocol/address.ts';
import type { DeliverEnvelope } from '../protocol/envelope.ts';
import { newId } from '../protocol/ids.ts';

/** Milliseconds between two notices: an agent may answer each, and answers cost money. */
const PAUSE_MS = 60_000;
/** Failures named one by one; the rest is counted. */
const NAMED = 5;

type Failure = Extract<Fate, { outcome: 'failed' }>;

export class Notices {
  readonly #clock: Clock;
  readonly #tell: (envelope: DeliverEnvelope) => void;
  readonly #ids = new Set<string>();
  #failures: Failure[] = [];
  #lastAt = Number.NEGATIVE_INFINITY;
  #timer: Timer | undefined;

  /** `tell` takes a notice as if it were a delivery. */
  constructor(clock: Clock, tell: (envelope: DeliverEnvelope) => void) {
    this.#clock = clock;
    this.#tell = tell;
  }

  /** True for an envelope made here: nobody waits for its ACK. */
  owns(envelope: DeliverEnvelope): boolean {
    return this.#ids.has(envelope.id);
  }

  failed(failure: Failure): void {
    this.#failures.push(failure);
    const wait = Math.max(0, this.#lastAt + PAUSE_MS - this.#clock.monotonic());
    this.#timer ??= this.#clock.after(wait, () => this.#say(), { unref: true });
  }

  close(): void {
    this.#timer?.cancel();
  }

  #say(): void {
    const failures = this.#failures;
    this.#failures = [];
    this.#timer = undefined;
    this.#lastAt = this.#clock.monotonic();
    const lines = failures.slice(0, NAMED).map(({ to, code, message }) => {
      const way = isErrorCode(code) ? ERRORS[code].suggestion : '';
      return `Your message to ${to} was not delivered: ${message} (${code}). ${way}`;
    });
    if (failures.length > NAMED) lines.push(`So it was with ${failures.length - NAMED} more.`);
    const id = newId();
    this.#ids.add(id);
    this.#tell({
      v: 1,
      type: 'DELIVER',
      id,
      ts: this.#clock.now(),
      from: SYSTEM_NAME,
      topic: DEFAULT_TOPIC,
      payload: { kind: 'notice', body: lines.join('\n') },
      delivery: { seq: 0, session_id: '' },
    });
  }
}
