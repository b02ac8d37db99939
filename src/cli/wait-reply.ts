/** The answer of an agent to what the person sends: the first message from it after that. docs/people.md. */
import * as z from 'zod';
import { systemClock } from '../base/clock.ts';
import { RelayError } from '../base/errors.ts';
import { silentLog } from '../base/log.ts';
import { watchEvents } from '../client/events.ts';
import { USER_NAME } from '../protocol/address.ts';
import { attach } from '../wrap/attach.ts';
import type { Place } from './place.ts';
import { callRelay } from './relay-call.ts';

/** Messages of one poll, as many as the relay gives. */
const PAGE = 100;
/** Milliseconds between two looks for an answer that somebody else is being handed, and for a new leader. */
const RETRY_MS = 500;

const Polled = z.object({
  messages: z.array(
    z.looseObject({
      id: z.string(),
      from: z.string(),
      ts: z.number(),
      body: z.string().optional(),
      thread: z.string().optional(),
    }),
  ),
});

export type Reply = z.output<typeof Polled>['messages'][number];

export interface Awaited {
  from: string;
  /** When ours was stored, by the relay's clock. */
  sentAt: number;
  thread: string | undefined;
}

/** Of the same thread, or of none: agents answer in plain lines. */
export const isReply = ({ from, ts, thread }: Reply, awaited: Awaited): boolean =>
  from === awaited.from &&
  ts >= awaited.sentAt &&
  (awaited.thread === undefined || thread === undefined || thread === awaited.thread);

/** Sends by `ask` once nothing can be missed, then waits. Throws TIMEOUT, or what `ask` throws. */
export async function askAndWait(
  place: Place,
  ask: () => Promise<Awaited>,
  timeoutMs: number,
): Promise<Reply> {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), timeoutMs);
  let awaited: Awaited | undefined;
  try {
    while (!stop.signal.aborted) {
      const found = await followOnce(place, stop.signal, async () => {
        awaited ??= await ask();
        return awaited;
      });
      if (found !== undefined) return found;
      await pause(stop.signal);
    }
  } finally {
    clearTimeout(timer);
    stop.abort();
  }
  throw new RelayError('TIMEOUT', `no answer came in ${timeoutMs / 1000} s`, {
    suggestion: 'it may still come: agent-wrap inbox',
  });
}

/** With one leader of the relay. Undefined: it has gone, or the time is over. */
async function followOnce(
  place: Place,
  signal: AbortSignal,
  ask: () => Promise<Awaited>,
): Promise<Reply | undefined> {
  const attachment = await attach({
    ...place,
    env: process.env,
    mayLead: false,
    clock: systemClock,
    log: silentLog,
  });
  let opened = () => {};
  const open = new Promise<void>((resolve) => {
    opened = resolve;
  });
  const events = watchEvents(attachment, { signal, opened });
  try {
    let next = events.next();
    await Promise.race([open, next]);
    const awaited = await ask();
    for (;;) {
      const { value: event, done } = await next;
      if (done) return undefined;
      const isFromThere = event.type === 'message' && event.from === awaited.from && event.to === USER_NAME;
      if (isFromThere && event.at >= awaited.sentAt) return await take(place, awaited, signal);
      next = events.next();
    }
  } finally {
    await events.return(undefined);
    await attachment.close();
  }
}

/** The answer out of the person's inbox. What else waits there is not confirmed, and comes again (P27). */
async function take(place: Place, awaited: Awaited, signal: AbortSignal): Promise<Reply | undefined> {
  while (!signal.aborted) {
    const { messages } = await callRelay(place, 'relay-poll', { limit: PAGE }, Polled);
    const reply = messages.find((each) => isReply(each, awaited));
    if (reply !== undefined) {
      // To confirm it is to confirm all of this answer, which nobody has seen.
      if (messages.length === 1) {
        await callRelay(place, 'relay-poll', { since: reply.id, limit: 1 }, Polled);
      }
      return reply;
    }
    await pause(signal);
  }
  return undefined;
}

function pause(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, RETRY_MS);
    signal.addEventListener('abort', done);
    if (signal.aborted) done();
  });
}
