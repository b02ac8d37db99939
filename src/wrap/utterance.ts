/** What the agent says → SEND, and what became of it: failures are told to the agent. */
import { RelayError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Fate } from '../client/fate.ts';
import type { RelayClient } from '../client/relay-client.ts';
import type { Said } from './hearing.ts';
import type { Notices } from './notices.ts';

export class Utterance {
  readonly #notices: Notices;
  readonly #log: Log;
  /** Ids of what was said and is not with the relay yet. */
  readonly #unstored = new Set<string>();

  /** Messages that the outbox had no room for. */
  #refused = 0;

  constructor(notices: Notices, log: Log) {
    this.#notices = notices;
    this.#log = log;
  }

  /** The relay has all that was said. */
  get settled(): boolean {
    return this.#unstored.size === 0;
  }

  /** How many messages the outbox had no room for. */
  get refused(): number {
    return this.#refused;
  }

  /** Said, while the client may still be loading: `send` follows. */
  begin({ id }: Said): void {
    this.#unstored.add(id);
  }

  send(client: RelayClient, { directive, id }: Said): void {
    const { to, kind, body, topic, thread, data } = directive;
    try {
      client.send({
        id,
        to,
        topic,
        payload: {
          kind,
          body,
          ...(thread === undefined ? {} : { thread }),
          ...(data === undefined ? {} : { data }),
        },
      });
      this.#log.info('said', { id, to, kind, topic });
    } catch (thrown) {
      const { code, message } = RelayError.from(thrown);
      if (code === 'QUEUE_FULL') this.#refused++;
      this.fate({ id, to, outcome: 'failed', code, message });
    }
  }

  fate(fate: Fate): void {
    this.#log.info('fate', { ...fate });
    this.#unstored.delete(fate.id);
    if (fate.outcome === 'failed') this.#notices.failed(fate);
  }
}
