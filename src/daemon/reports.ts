/**
 * What the wrappers say of their agents, and the notice to those whose message waits because of it. In
 * memory: a new leader is told again by each wrapper. docs/protocol.md §Control.
 */
import { SYSTEM_NAME } from '../protocol/address.ts';
import type { Relay } from './relay.ts';
import type { Session } from './session-table.ts';

export const AGENT_STATUSES = ['starting', 'ready', 'busy', 'dialog', 'unknown'] as const;
/** `none`: the wrapper cannot read what its agent says. */
export const SPEECH_SOURCES = ['hook', 'transcript', 'api', 'screen', 'none'] as const;

export interface Report {
  status: (typeof AGENT_STATUSES)[number];
  /** What keeps messages from being typed. */
  waitsFor?: string | undefined;
  speech?: (typeof SPEECH_SOURCES)[number] | undefined;
}

/** What only the recipient's person can clear: everything else passes by itself. */
const OF_THE_PERSON: Readonly<Record<string, string>> = {
  dialog: 'shows a dialog that its person must answer',
  draft: 'has a half-typed line of its person in its input box',
};

interface Entry {
  report: Report;
  /** Monotonic: since when it waits for this. */
  since: number;
  /** Senders who were told while it waits for this. */
  told: Set<string>;
}

export class Reports {
  readonly #relay: Relay;
  /** A report ends with its session. */
  readonly #entries = new WeakMap<Session, Entry>();

  constructor(relay: Relay) {
    this.#relay = relay;
  }

  get(session: Session): Report | undefined {
    return session.state === 'active' ? this.#entries.get(session)?.report : undefined;
  }

  set(session: Session, report: Report): void {
    const before = this.#entries.get(session);
    const goesOn = before !== undefined && before.report.waitsFor === report.waitsFor;
    this.#entries.set(session, {
      report,
      since: goesOn ? before.since : this.#relay.clock.monotonic(),
      told: goesOn ? before.told : new Set(),
    });
  }

  /** Called often: tells each sender once whose message has waited too long for a person. */
  look(): void {
    for (const { session } of this.#relay.peers.values()) {
      const entry = session === undefined ? undefined : this.#entries.get(session);
      const why = OF_THE_PERSON[entry?.report.waitsFor ?? ''];
      if (session !== undefined && entry !== undefined && why !== undefined) this.#tell(session, entry, why);
    }
  }

  #tell({ name }: Session, { since, told }: Entry, why: string): void {
    const { clock, settings, peers, notices } = this.#relay;
    if (clock.monotonic() - since < settings.blockedNoticeMs) return;
    for (const { message } of peers.get(name)?.pump.inflight.all() ?? []) {
      const { from, at } = message;
      if (from === SYSTEM_NAME || told.has(from) || clock.now() - at < settings.blockedNoticeMs) continue;
      told.add(from);
      notices.tell(from, `waits ${name}`, `${name} ${why}: your message waits until then`);
    }
  }
}
