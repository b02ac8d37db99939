/** Who may have which name, and which one is free. docs/protocol.md §4 (P9, P10). */
import { RelayError } from '../base/errors.ts';
import { isAgentName } from '../protocol/address.ts';
import type { Relay } from './relay.ts';
import type { Session } from './session-table.ts';

/** The numbers tried for a name by prefix: more agents of one kind are a mistake. */
const MAX_PREFIX_NUMBER = 10_000;

export class Names {
  readonly #relay: Relay;
  /** Monotonic: before it no name is given by prefix (P9). */
  readonly #prefixFrom: number;
  /** Monotonic: names that were left in an earlier reign are kept from here on (P9). */
  #servingSince: number;

  constructor(relay: Relay, tookOver: boolean) {
    this.#relay = relay;
    this.#servingSince = relay.clock.monotonic();
    this.#prefixFrom = this.#servingSince + (tookOver ? relay.settings.prefixPauseMs : 0);
  }

  /** After a restart: the leases of earlier reigns start now (P9). */
  recovered(): void {
    this.#servingSince = this.#relay.clock.monotonic();
  }

  /** The first free `<prefix>-<n>` (P9, P10). Throws NAME_IN_USE right after a takeover: names may be away. */
  free(prefix: string): string {
    if (this.#relay.clock.monotonic() < this.#prefixFrom) {
      throw new RelayError('NAME_IN_USE', 'no name is given by prefix right after a takeover');
    }
    for (let n = 1; n <= MAX_PREFIX_NUMBER; n++) {
      const name = `${prefix}-${n}`;
      const taken = this.#relay.state.sessions.ofName(name).length > 0;
      if (!taken && (this.#relay.state.findMailbox(name)?.empty ?? true)) return name;
    }
    throw new RelayError('NAME_IN_USE', `all of ${prefix}-1 … ${prefix}-${MAX_PREFIX_NUMBER} are taken`);
  }

  /**
   * P9: nobody but `owner` is connected under the name, and no wrapper's lease holds it. Throws BAD_NAME,
   * NAME_IN_USE.
   */
  check(name: string, owner?: Session): void {
    if (!isAgentName(name)) {
      throw new RelayError('BAD_NAME', `not a name for an agent: ${JSON.stringify(name.slice(0, 80))}`);
    }
    const holder = this.#relay.state.sessions.holder(name);
    if (holder === undefined || holder === owner) return;
    const { clock, settings } = this.#relay;
    const since = holder.leftAt ?? this.#servingSince;
    const leased = holder.injects && clock.monotonic() - since < settings.nameLeaseMs;
    if (holder.state === 'active') inUse(`${name} is connected`, false);
    if (leased) inUse(`${name} may come back for some seconds`, true);
  }

  /** Whether the name can still come back by itself: connected, or within its window. */
  mayReturn(name: string): boolean {
    return this.#relay.state.sessions.holder(name) !== undefined;
  }
}

const inUse = (message: string, retryable: boolean): never => {
  throw new RelayError('NAME_IN_USE', message, { details: { retryable } });
};
