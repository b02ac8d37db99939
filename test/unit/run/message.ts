/** Messages for the tests of conditions and reports. */
import type { RunMessage } from '../../../src/run/conversation.ts';

let count = 0;

export function said(from: string, to: string, body: string, more: Partial<RunMessage> = {}): RunMessage {
  count++;
  return {
    id: `m${count}`,
    at: count,
    from,
    to,
    kind: 'message',
    body,
    recipients: [{ name: to, fate: 'delivered' }],
    ...more,
  };
}
