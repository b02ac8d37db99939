/** What waits for the person on a relay, read as any program reads it: relay-poll, page by page (P27). */
import * as z from 'zod';
import { parseResult, unwrap } from '../../src/afd/parse-result.ts';

const polled = z.object({
  messages: z.array(z.looseObject({ body: z.string().optional() })),
  hasMore: z.boolean(),
  lastMessageId: z.string().optional(),
});

/** Bodies, oldest first, all of them; each is claimed. `call` calls a command of the relay. */
export async function personInbox(
  call: (command: string, input: unknown) => Promise<unknown>,
): Promise<string[]> {
  const bodies: string[] = [];
  for (let since: string | undefined; ; ) {
    const answer = await call('relay-poll', { limit: 100, ...(since === undefined ? {} : { since }) });
    const { messages, hasMore, lastMessageId } = unwrap(parseResult(polled, answer));
    bodies.push(...messages.map(({ body = '' }) => body));
    if (!hasMore || messages.length === 0) return bodies;
    since = lastMessageId;
  }
}
