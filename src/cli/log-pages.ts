/** What `relay-log` says, page by page: one answer holds no more than the daemon can spare the time for. */
import * as z from 'zod';
import { type MessageView, messageView } from '../protocol/message-view.ts';
import type { Place } from './place.ts';
import { callRelay } from './relay-call.ts';

export interface LogFilter {
  from?: string | undefined;
  to?: string | undefined;
  topic?: string | undefined;
  /** Wall clock, ms. */
  since?: number | undefined;
  /** Only what is not delivered yet. */
  waiting?: boolean | undefined;
  ids?: readonly string[] | undefined;
  /** Only the newest so many of them. */
  last?: number | undefined;
}

const PAGE_MESSAGES = 500;

const Page = z.object({ messages: z.array(messageView), next: z.number().optional() });

/** All messages that match, the oldest first. Throws as `callRelay`. */
export async function readLog(
  place: Place,
  { last = Number.POSITIVE_INFINITY, ...filter }: LogFilter,
): Promise<MessageView[]> {
  const pages: MessageView[][] = [];
  const seen = new Set<string>();
  for (let skip: number | undefined = 0; skip !== undefined && seen.size < last; ) {
    const limit = Math.min(PAGE_MESSAGES, last - seen.size);
    const page: z.output<typeof Page> = await callRelay(place, 'relay-log', { ...filter, skip, limit }, Page);
    // What came meanwhile moves the pages: some of the one before come again.
    pages.push(page.messages.filter((message) => !seen.has(keyOf(message))));
    for (const message of page.messages) seen.add(keyOf(message));
    skip = page.next;
  }
  return pages.reverse().flat();
}

const keyOf = ({ id, from, at }: MessageView): string => `${from} ${id} ${at}`;
