/**
 * The client's deliveries: each is handed on once, however often it is delivered, across reconnects too,
 * and is ACKed only when whoever took it says so (P11, P12, P15).
 */
import type { DeliverEnvelope } from '../protocol/envelope.ts';

/** Ids remembered after their end: a repeat of an older one would be a new session's affair (P15). */
const REMEMBERED = 50_000;

/** How a delivery ended here: submitted, refused for good, or given back (code DEFERRED). */
export type Verdict = 'taken' | { code: string; message: string };

export class Inbox {
  readonly #waiting = new Set<string>();
  /** Given back by this session: a repeat is given back again (P4). */
  readonly #deferred = new Map<string, Verdict>();
  /** In the order of their end, the oldest first. */
  readonly #ended = new Map<string, Verdict>();

  /** What to do with a DELIVER: hand it on, answer as before, or nothing (it waits already). */
  arrived(envelope: DeliverEnvelope): 'new' | 'waiting' | Verdict {
    const verdict = this.#ended.get(envelope.id) ?? this.#deferred.get(envelope.id);
    if (verdict !== undefined) return verdict;
    if (this.#waiting.has(envelope.id)) return 'waiting';
    this.#waiting.add(envelope.id);
    return 'new';
  }

  isWaiting(id: string): boolean {
    return this.#waiting.has(id);
  }

  /** It was submitted or refused: a repeat gets the same answer, and is never handed on. */
  ended(id: string, verdict: Verdict): void {
    this.#waiting.delete(id);
    this.#ended.set(id, verdict);
    if (this.#ended.size > REMEMBERED) this.#ended.delete(this.#ended.keys().next().value as string);
  }

  /** It was given back: polls may read it, or our next session; this one never sees it again. */
  deferred(id: string, verdict: Verdict): void {
    this.#waiting.delete(id);
    this.#deferred.set(id, verdict);
    if (this.#deferred.size > REMEMBERED) this.#deferred.delete(this.#deferred.keys().next().value as string);
  }

  /** The session is another's now: what waits untyped is the daemon's again (P9), what was given back too. */
  releaseWaiting(): string[] {
    this.#deferred.clear();
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    return waiting;
  }
}
