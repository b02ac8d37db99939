/** Watching the relay: GET /events, as values. docs/protocol.md §Control (P22). */
import { request } from 'node:http';
import { createInterface } from 'node:readline';
import { parseEndpoint } from '../afd/endpoint.ts';
import { RelayError, systemCode } from '../base/errors.ts';
import type { RelayEvent } from '../protocol/relay-event.ts';
import { socketAddress } from '../transport/unix.ts';
import type { Attachment } from './attachment.ts';

/** What is seen, and `gap` when the daemon had to leave something out because we read too slowly. */
export type WatchedEvent = RelayEvent | { type: 'gap' };

/**
 * The events from now on. Ends when the daemon goes or `signal` is aborted. Throws DAEMON_UNREACHABLE.
 * `opened` is called when nothing can be missed any more.
 */
export async function* watchEvents(
  attachment: Attachment,
  options: { signal: AbortSignal; token?: string; opened?: () => void },
): AsyncGenerator<WatchedEvent> {
  const address = socketAddress(parseEndpoint(attachment.endpoint));
  const headers = options.token === undefined ? {} : { Authorization: `Bearer ${options.token}` };
  const call = request({
    socketPath: address.path,
    path: '/events',
    headers,
    signal: options.signal,
    agent: false,
  });
  try {
    const response = await new Promise<NodeJS.ReadableStream>((resolve, reject) => {
      call.on('response', resolve);
      call.on('error', reject);
      call.end();
    });
    options.opened?.();
    const lines = createInterface({ input: response });
    // Who stops to look destroys it below, and nobody else is there then to hear that it was aborted.
    lines.on('error', () => {});
    for await (const line of lines) {
      const event = parse(line);
      if (event !== undefined) yield event;
    }
  } catch (cause) {
    if (options.signal.aborted || systemCode(cause) === 'ECONNRESET') return;
    throw new RelayError('DAEMON_UNREACHABLE', `no events from ${attachment.endpoint}`, { cause });
  } finally {
    call.destroy();
    address.release();
  }
}

/** A `data:` line holds a whole event; the event's name is in it as `type`. */
function parse(line: string): WatchedEvent | undefined {
  if (!line.startsWith('data: ')) return undefined;
  const event = JSON.parse(line.slice(6)) as WatchedEvent;
  return 'type' in event ? event : { type: 'gap' };
}
