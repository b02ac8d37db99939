/**
 * The client's deliveries: each is handed on once, however often it is delivered, across reconnects too,
 * and is ACKed only when whoever took it says so (P11, P12, P15).
 */
import type { DeliverEnvelope } from '../protocol/envelope.ts';

/**
 * Ids remembered after their end, at least and at most twice as many: a repeat of an older one would be a
 * new session's affair (P15).
 */
const REMEMBERED = 25_000;

/** How a delivery ended here: submitted, refused for good, or given back (code DEFERRED). */
export type Verdict = 'taken' | { code: string; message: string };

/** The last verdicts, by id. The older half goes at once: a Map that loses its oldest one by one gets slow. */
class Verdicts {
  #recent = new Map<string, Verdict>();
  #older = new Map<string, Verdict>();

  get(id: string): Verdict | undefined {
    return this.#recent.get(id) ?? this.#older.get(id);
  }

  set(id: string, verdict: Verdict): void {
    if (this.#recent.size >= REMEMBERED) {
      this.#older = this.#recent;
      this.#recent = new Map();
    }
    this.#recent.set(id, verdict);
  }

  clear(): void {
    this.#recent = new Map();
    this.#older = new Map();
  }
}

export class Inbox {
  readonly #waiting = new Set<string>();
  /** Given back by this session: a repeat is given back again (P4). */
  readonly #deferred = new Verdicts();
  readonly #ended = new Verdicts();

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
  }

  /** It was given back: polls may read it, or our next session; this one never sees it again. */
  deferred(id: string, verdict: Verdict): void {
    this.#waiting.delete(id);
    this.#deferred.set(id, verdict);
  }

  /** The session is another's now: what waits untyped is the daemon's again (P9), what was given back too. */
  releaseWaiting(): string[] {
    this.#deferred.clear();
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    return waiting;
  }
}
