/**
 * The client's deliveries: each is handed on once, however often it is delivered, across reconnects too,
 * and is ACKed only when whoever took it says so (P11, P12, P15).
 */
import type { DeliverEnvelope } from '../protocol/envelope.ts';

/** Ids remembered after their end: a repeat of an older one would be a new session's affair (P15). */
const REMEMBERED = 50_000;

type Standing = 'waiting' | 'taken';

export class Inbox {
  readonly #standing = new Map<string, Standing>();

  /** What to do with a DELIVER: hand it on, acknowledge it again, or nothing (it waits already). */
  arrived(envelope: DeliverEnvelope): 'new' | 'taken' | 'waiting' {
    const standing = this.#standing.get(envelope.id);
    if (standing !== undefined) return standing;
    this.#standing.set(envelope.id, 'waiting');
    return 'new';
  }

  isWaiting(id: string): boolean {
    return this.#standing.get(id) === 'waiting';
  }

  /** It was submitted: a repeat is acknowledged again, never handed on. */
  taken(id: string): void {
    this.#standing.delete(id);
    this.#standing.set(id, 'taken');
    if (this.#standing.size <= REMEMBERED) return;
    for (const [oldest, standing] of this.#standing) {
      if (standing === 'taken') {
        this.#standing.delete(oldest);
        return;
      }
    }
  }

  /** It was given back or refused: the daemon decides what becomes of it, and may deliver it anew. */
  released(id: string): void {
    this.#standing.delete(id);
  }

  /** The session is another's now: what waits untyped is the daemon's again (P9). */
  releaseWaiting(): string[] {
    const waiting = [...this.#standing].filter(([, standing]) => standing === 'waiting').map(([id]) => id);
    for (const id of waiting) this.#standing.delete(id);
    return waiting;
  }
}
