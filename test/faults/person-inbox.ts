/** What waits for the person on a relay, read as any program reads it: relay-poll, page by page (P27). */
import * as z from 'zod';
import { parseResult, unwrap } from '../../src/afd/parse-result.ts';

const polled = z.object({
  messages: z.array(z.looseObject({ body: z.string().optional() })),
  hasMore: z.boolean(),
  lastMessageId: z.string().optional(),
});

export class PersonInbox {
  readonly #call: (command: string, input: unknown) => Promise<unknown>;
  /** The last message that was read: the next page confirms those up to it. */
  #since: string | undefined;

  /** `call` calls a command of the relay, whoever leads it by then. */
  constructor(call: (command: string, input: unknown) => Promise<unknown>) {
    this.#call = call;
  }

  /** Bodies of all that has come since the last look, oldest first; each is claimed. */
  async read(): Promise<string[]> {
    const bodies: string[] = [];
    for (;;) {
      const since = this.#since === undefined ? {} : { since: this.#since };
      const answer = await this.#call('relay-poll', { limit: 100, ...since });
      const { messages, hasMore, lastMessageId } = unwrap(parseResult(polled, answer));
      bodies.push(...messages.map(({ body = '' }) => body));
      this.#since = lastMessageId ?? this.#since;
      if (!hasMore || messages.length === 0) return bodies;
    }
  }
}
