/** Whether a peer lives: PING when it is quiet, the end after 2 × heartbeat of silence (spec §7, P2). Pure. */

export class Heartbeat {
  readonly #intervalMs: number;
  #lastHeard: number;
  #lastLook: number;
  /** When the PING that is not answered yet was sent. */
  #pingedAt: number | undefined;

  /** All times are monotonic milliseconds. */
  constructor(intervalMs: number, now: number) {
    this.#intervalMs = intervalMs;
    this.#lastHeard = now;
    this.#lastLook = now;
  }

  /** Any byte is life. */
  heard(now: number): void {
    this.#lastHeard = now;
    this.#pingedAt = undefined;
  }

  /** Looks at the clock; `deaf` says that we are not reading, and then silence is our own. */
  look(now: number, deaf: boolean): 'fine' | 'ping' | 'dead' {
    // Looks come several times an interval: after a longer pause it was we who slept, and what the peer
    // sent meanwhile is not read yet.
    const slept = now - this.#lastLook > this.#intervalMs;
    this.#lastLook = now;
    if (deaf || slept) {
      this.#lastHeard = now;
      this.#pingedAt = undefined;
      return 'fine';
    }
    if (this.#pingedAt !== undefined) {
      return now - this.#pingedAt >= 2 * this.#intervalMs ? 'dead' : 'fine';
    }
    if (now - this.#lastHeard < this.#intervalMs) return 'fine';
    this.#pingedAt = now;
    return 'ping';
  }
}
