/** Who waits until a client has read what it was sent: the PONG to a PING behind it says so (P2, P18). */
import type { Clock } from '../base/clock.ts';
import { type Envelope, newEnvelope } from '../protocol/envelope.ts';
import { newId } from '../protocol/ids.ts';

/** Milliseconds for a client to read what the person waits for it to know. */
const READ_MS = 1_000;

export class Readers {
  readonly #clock: Clock;
  readonly #send: (envelope: Envelope) => void;
  /** By nonce. */
  readonly #waiting = new Map<string, () => void>();

  constructor(clock: Clock, send: (envelope: Envelope) => void) {
    this.#clock = clock;
    this.#send = send;
  }

  /** Resolves when the client has read what was sent until now, or has had time to. */
  async read(): Promise<void> {
    const nonce = newId();
    await new Promise<void>((resolve) => {
      const timer = this.#clock.after(READ_MS, resolve, { unref: true });
      this.#waiting.set(nonce, () => {
        timer.cancel();
        resolve();
      });
      this.#send(newEnvelope('PING', { nonce }, this.#clock.now()));
    });
    this.#waiting.delete(nonce);
  }

  /** A PONG came: all that was sent before its PING was read. */
  ponged(nonce: string | undefined): void {
    this.#waiting.get(nonce ?? '')?.();
  }
}
