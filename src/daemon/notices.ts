/** Lines of the relay itself to an agent or the person: at most one a minute and kind. docs/protocol.md §Delivery (P18). */

import { SYSTEM_NAME, USER_NAME } from '../protocol/address.ts';
import { newId } from '../protocol/ids.ts';
import { utf8 } from '../protocol/utf8.ts';
import type { Message } from './message.ts';
import type { Relay } from './relay.ts';

/** Milliseconds between two notices of one kind to one agent: it may answer each. */
const NOTICE_MS = 60_000;
/** Names that are told; who wants all of them asks `agent-wrap agents`. */
const NAMED = 10;

export class Notices {
  readonly #relay: Relay;
  /** Recipient and kind → when it was last told, on the monotonic clock. */
  readonly #told = new Map<string, number>();

  constructor(relay: Relay) {
    this.#relay = relay;
  }

  /** Tells `to`; what is too soon after another of its kind is logged only. */
  tell(to: string, kind: string, body: string): void {
    const { clock, log, router } = this.#relay;
    const now = clock.monotonic();
    const key = `${to}\0${kind}`;
    if (now - (this.#told.get(key) ?? Number.NEGATIVE_INFINITY) < NOTICE_MS) {
      log.info('notice.withheld', { to, kind });
      return;
    }
    this.#told.set(key, now);
    router.send(
      {
        id: newId(),
        from: SYSTEM_NAME,
        session: SYSTEM_NAME,
        injects: false,
        to,
        raw: { payload: utf8(JSON.stringify({ kind: 'notice', body })) },
        acks: false,
      },
      {
        stored: () => {},
        refused: (error) => log.warn('notice.refused', { to, error }),
        repeated: () => {},
      },
    );
  }

  /** An agent wrote to a name that nobody has had: it is told at once, and who is there. */
  unknownName({ from, to }: Message): void {
    if (to === undefined) return;
    const { sessions } = this.#relay.state;
    const there = [...sessions.all()].filter(({ state, name }) => state === 'active' && name !== from);
    const names = [...new Set(there.map(({ name }) => name))].slice(0, NAMED);
    const who = names.length === 0 ? 'nobody else is on the relay' : `on the relay are: ${names.join(', ')}`;
    this.tell(
      from,
      'unknown name',
      `nobody is called ${to}; ${who}. Your message waits in case ${to} comes.`,
    );
  }

  /** The person is told that a pair is held. */
  held(from: string, to: string, reason: string): void {
    this.tell(USER_NAME, `held ${from} ${to}`, `messages from ${from} to ${to} are held: ${reason}`);
  }

  /** Forgets what was long ago. */
  sweep(now: number): void {
    for (const [key, at] of this.#told) if (now - at >= NOTICE_MS) this.#told.delete(key);
  }
}
