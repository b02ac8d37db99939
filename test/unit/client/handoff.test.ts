import { describe, expect, it } from 'vitest';
import { lineLog } from '../../../src/base/log.ts';
import type { Attachment } from '../../../src/client/attachment.ts';
import { RelayClient } from '../../../src/client/relay-client.ts';
import { FakeClock, settle } from '../../helpers/fake-clock.ts';

const TOKEN = `ah_${'t'.repeat(43)}`;
const HANDOFF = {
  protocol: 'agent-relay',
  endpoint: 'unix:///tmp/relay.sock',
  credentials: { token: TOKEN, sessionId: 's-1', headers: { 'agent-name': 'bob' } },
};
/** The command hangs. */
const NEVER = Symbol('never');
const inEnvelope = (data: unknown) => ({ success: true, data, reasoning: 'x' });

/** A client whose relay answers every command with `answer`. */
async function clientOf(answer: unknown) {
  const lines: string[] = [];
  let opened = 0;
  const attachment: Attachment = {
    role: 'client',
    leading: false,
    directory: '/tmp',
    epoch: 1,
    endpoint: HANDOFF.endpoint,
    call: async () => (answer === NEVER ? new Promise(() => {}) : answer),
    async open() {
      opened++;
      throw new Error('nobody is there');
    },
    async close() {},
  };
  const clock = new FakeClock();
  const client = new RelayClient(
    {
      attach: async () => attachment,
      identity: { agent: 'bob' },
      capabilities: {},
      clock,
      log: lineLog((line) => lines.push(line), 'debug'),
      random: () => 0.5,
    },
    { delivery: () => {} },
  );
  client.start();
  await settle();
  return { client, clock, lines, opened: () => opened };
}

describe('AFD conformance §4, the wrapper as caller', () => {
  it.each([
    ['a failure', { success: false, error: { code: 'NAME_IN_USE', message: 'taken' } }, 'NAME_IN_USE'],
    ['no JSON object', '<html>', 'BAD_RESULT'],
    ['a bare HandoffResult', HANDOFF, 'BAD_RESULT'],
    ['a malformed handoff', inEnvelope({ ...HANDOFF, endpoint: '/tmp/relay.sock' }), 'BAD_RESULT'],
    ['another protocol', inEnvelope({ ...HANDOFF, protocol: 'websocket' }), 'PROTOCOL_UNKNOWN'],
    [
      'an expired handoff',
      inEnvelope({ ...HANDOFF, metadata: { expiresAt: '2020-01-01T00:00:00Z' } }),
      'TOKEN_EXPIRED',
    ],
  ])('checklist 12: %s opens no connection, is said by its code and tried again', async (_, answer, code) => {
    const { client, clock, lines, opened } = await clientOf(answer);
    expect(client.state).toBe('backoff');
    expect(opened()).toBe(0);
    expect(lines.join('\n')).toContain(`"code":"${code}"`);
    expect(lines.join('\n')).not.toContain(TOKEN);
    await clock.advanceAsync(60_000);
    expect(lines.filter((line) => line.includes(`"code":"${code}"`)).length).toBeGreaterThan(2);
    await client.close();
  });

  it('checklist 12: a command that never answers is given up, and tried again', async () => {
    const { client, clock, lines } = await clientOf(NEVER);
    expect(client.state).toBe('connecting');
    await clock.advanceAsync(5_000);
    expect(client.state).toBe('backoff');
    expect(lines.join('\n')).toContain('"code":"TIMEOUT"');
    await client.close();
  });

  it('checklist 12: an envelope with a good handoff is connected with', async () => {
    const { client, opened, lines } = await clientOf(inEnvelope(HANDOFF));
    expect(opened()).toBe(1);
    expect(lines.join('\n')).not.toContain(TOKEN);
    await client.close();
  });
});
