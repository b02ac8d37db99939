import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CommandResult } from '../../../src/afd/result.ts';
import { FILE, LEADING } from '../../helpers/outer-terminal.ts';
import { RelayHome } from '../../helpers/relay-home.ts';

let home: RelayHome;
const clients: Client[] = [];

beforeAll(async () => {
  home = new RelayHome();
  await home.startDaemon();
});
afterAll(async () => {
  for (const client of clients) await client.close();
  await home.remove();
});

/** `agent-wrap mcp` and the SDK's own client to it. */
async function client(env: Record<string, string> = {}): Promise<Client> {
  const made = new Client({ name: 'test', version: '1' });
  clients.push(made);
  const transport = new StdioClientTransport({
    command: FILE,
    args: [...LEADING, 'mcp'],
    env: { ...home.env, ...env },
    stderr: 'inherit',
  });
  await made.connect(transport);
  return made;
}

async function call(by: Client, name: string, args: Record<string, unknown> = {}) {
  const answer = await by.callTool({ name, arguments: args });
  const [block] = answer.content as { type: string; text: string }[];
  const result = JSON.parse(block?.text ?? '') as CommandResult<Record<string, unknown>>;
  expect(answer.isError).toBe(!result.success);
  expect(answer.structuredContent).toEqual(result);
  return result;
}

/** An agent of its own for a server: name and token as a wrapper would set them. */
async function agent(name: string): Promise<Record<string, string>> {
  const { stdout } = await home.cli('call', 'relay-connect', `agent=${name}`);
  return { AGENT_RELAY_NAME: name, AGENT_RELAY_TOKEN: JSON.parse(stdout).data.credentials.token };
}

describe('agent-wrap mcp, by the SDK’s own client', () => {
  it('offers four tools, the reading ones marked as such, each with a schema and its fallback', async () => {
    const { tools } = await (await client()).listTools();
    const seen = tools.map(({ name, annotations }) => [name, annotations?.readOnlyHint]);
    expect(Object.fromEntries(seen)).toEqual({
      relay_send: false,
      relay_poll: true,
      relay_agents: true,
      relay_status: true,
    });
    for (const tool of tools) {
      expect(tool.inputSchema.type).toBe('object');
      expect(tool.description).toMatch(/relay_poll|relay_send|fallback/);
    }
  });

  it('two agents converse through it', async () => {
    const ann = await client(await agent('ann'));
    const bob = await client(await agent('bob'));
    expect(await call(ann, 'relay_send', { to: 'bob', body: 'ping' })).toMatchObject({
      success: true,
      data: { recipients: ['bob'] },
    });
    const page = await call(bob, 'relay_poll', { waitMs: 5_000 });
    expect(page.data).toMatchObject({ messages: [{ from: 'ann', body: 'ping' }], hasMore: false });
    const since = page.data?.lastMessageId;
    await call(bob, 'relay_send', { to: 'ann', body: 'pong' });
    expect((await call(bob, 'relay_poll', { since })).data).toMatchObject({ messages: [] });
    expect((await call(ann, 'relay_poll', { waitMs: 5_000 })).data).toMatchObject({
      messages: [{ from: 'bob', body: 'pong' }],
    });
  });

  it.each([
    ['relay_send', { to: 'bob' }, 'VALIDATION_ERROR'],
    ['relay_send', { to: 'no such name', body: 'x' }, 'BAD_TARGET'],
    ['relay_poll', { since: 'never' }, 'STALE'],
    ['relay_snd', {}, 'COMMAND_NOT_FOUND'],
    ['relay_disconnect', { sessionId: 's-0' }, 'COMMAND_NOT_FOUND'],
  ])('a failure of %s %j stays a CommandResult with its code %s', async (name, args, code) => {
    const result = await call(await client(), name, args);
    expect(result).toMatchObject({
      success: false,
      error: { code, suggestion: expect.stringMatching(/./), retryable: false },
    });
  });

  it('says that no daemon answers, and goes on when one does', async () => {
    const elsewhere = new RelayHome();
    try {
      const lonely = await client(elsewhere.env);
      expect((await call(lonely, 'relay_agents')).error).toMatchObject({
        code: 'DAEMON_UNREACHABLE',
        retryable: true,
      });
      await elsewhere.startDaemon();
      expect((await call(lonely, 'relay_agents')).success).toBe(true);
    } finally {
      await elsewhere.remove();
    }
  });

  it('ends with its agent, also in the middle of a long poll', async () => {
    const ran = await home.run(FILE, [...LEADING, 'mcp'], {
      input: [
        {
          method: 'initialize',
          id: 1,
          params: {
            protocolVersion: '2025-06-18',
            capabilities: {},
            clientInfo: { name: 'x', version: '1' },
          },
        },
        { method: 'notifications/initialized' },
        { method: 'tools/call', id: 2, params: { name: 'relay_poll', arguments: { waitMs: 30_000 } } },
      ]
        .map((message) => `${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
        .join(''),
    });
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    for (const line of ran.stdout.trimEnd().split('\n')) expect(JSON.parse(line).jsonrpc).toBe('2.0');
  });
});
