/** The answer of an agent to what the person sends: the first message from it after that. docs/people.md. */
import * as z from 'zod';
import { RelayError } from '../base/errors.ts';
import { MAX_POLL_WAIT_MS } from '../protocol/limits.ts';
import { type PolledMessage, polledMessage } from '../protocol/message-view.ts';
import type { Place } from './place.ts';
import { callRelay } from './relay-call.ts';

/** Milliseconds between two tries of a relay that is not there now: another leads it soon. */
const RETRY_MS = 500;
/** Milliseconds for the relay to hear that the answer was printed: what it does not know comes again (P27). */
const CONFIRM_MS = 10_000;

const Polled = z.object({ messages: z.array(polledMessage) });

export interface Awaited {
  from: string;
  /** When ours was stored, by the relay's clock. */
  sentAt: number;
  /** Of the same thread, or of none: agents answer in plain lines. */
  thread: string | undefined;
}

/**
 * Takes the answer out of the person's inbox, and nothing else; `print` shows it, and only then the relay
 * hears that it was read. Throws TIMEOUT.
 */
export async function takeReply(
  place: Place,
  { from, sentAt, thread }: Awaited,
  timeoutMs: number,
  print: (reply: PolledMessage) => void,
): Promise<void> {
  const end = Date.now() + timeoutMs;
  const poll = (waitMs: number) =>
    callRelay(place, 'relay-poll', { from, after: sentAt, thread, limit: 1, waitMs }, Polled);
  for (let left = timeoutMs; left > 0; left = end - Date.now()) {
    const answer = await retried(() => poll(Math.ceil(Math.min(left, MAX_POLL_WAIT_MS))), end);
    const reply = answer?.messages[0];
    if (reply === undefined) continue;
    print(reply);
    await retried(
      () => callRelay(place, 'relay-poll', { since: reply.id, confirmOnly: true }, Polled),
      Date.now() + CONFIRM_MS,
    );
    return;
  }
  throw new RelayError('TIMEOUT', `no answer came in ${timeoutMs / 1000} s`, {
    suggestion: 'it may still come: agent-wrap inbox user',
  });
}

/** Tries again what may succeed later; undefined when the time is over. Throws what will not pass. */
async function retried<T>(work: () => Promise<T>, end: number): Promise<T | undefined> {
  while (Date.now() < end) {
    try {
      return await work();
    } catch (error) {
      if (!RelayError.from(error).retryable) throw error;
      await new Promise((resolve) => setTimeout(resolve, Math.min(RETRY_MS, Math.max(0, end - Date.now()))));
    }
  }
  return undefined;
}
