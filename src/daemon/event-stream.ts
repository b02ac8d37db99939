/** GET /events: what happens in the relay as server-sent events. docs/protocol.md §Control (P22). */
import type { ServerResponse } from 'node:http';
import { MAX_EVENT_BUFFER_BYTES } from '../protocol/limits.ts';
import type { Daemon } from './daemon.ts';
import type { RelayEvent } from './events.ts';

/** @param agent sees only what concerns it; undefined: everything. */
export function serveEvents(daemon: Daemon, agent: string | undefined, response: ServerResponse): void {
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
  response.write(': agent-relay\n\n');
  const stop = daemon.watch((event) => {
    if (agent !== undefined && !concerns(event, agent)) return;
    response.write(render(event.type, event));
    if (response.writableLength <= MAX_EVENT_BUFFER_BYTES) return;
    // Whoever reads so slowly must know that it misses something.
    stop();
    response.end(render('gap', { reason: 'the reader is too slow' }));
  });
  response.on('close', stop);
}

const concerns = (event: RelayEvent, agent: string): boolean =>
  event.type === 'session' ? event.agent === agent : event.from === agent || event.to === agent;

const render = (type: string, data: unknown): string => `event: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
