import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import type { Daemon } from '../../../src/daemon/daemon.ts';
import { serveEvents } from '../../../src/daemon/event-stream.ts';
import type { RelayEvent } from '../../../src/daemon/events.ts';
import { MAX_EVENT_BUFFER_BYTES } from '../../../src/protocol/limits.ts';

describe('P22 /events', () => {
  it('a reader that is too slow is told so by `gap`, and let go', () => {
    let tell: ((event: RelayEvent) => void) | undefined;
    const daemon = {
      watch(listener: (event: RelayEvent) => void) {
        tell = listener;
        return () => {
          tell = undefined;
        };
      },
    } as unknown as Daemon;
    const written: string[] = [];
    let buffered = 0;
    const response = {
      writeHead: () => {},
      write: (text: string) => written.push(text),
      end: (text: string) => written.push(text),
      on: () => {},
      get writableLength() {
        return buffered;
      },
    } as unknown as ServerResponse;
    serveEvents(daemon, undefined, response);
    tell?.({ type: 'session', at: 1, agent: 'bob', state: 'active' });
    buffered = MAX_EVENT_BUFFER_BYTES + 1;
    tell?.({ type: 'session', at: 2, agent: 'ann', state: 'active' });
    expect(tell).toBeUndefined();
    expect(written.at(-1)).toMatch(/^event: gap\ndata: \{.*\}\n\n$/);
  });
});
