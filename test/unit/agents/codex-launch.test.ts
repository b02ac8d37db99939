import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { codex } from '../../../src/agents/codex.ts';
import { NO_POSITIONS } from '../../../src/agents/positions.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { silentLog } from '../../../src/base/log.ts';

describe('the arguments of Codex', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'agent-wrap-launch-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  async function prepare(args: string[], briefing?: string) {
    const prepared = await codex.prepare({
      name: 'alice',
      file: 'codex',
      args,
      env: { HOME: folder },
      cwd: folder,
      runDirectory: () => folder,
      briefing,
      mcp: { command: '/usr/bin/node', args: ['cli.js', 'mcp'], envVars: ['AGENT_RELAY_TOKEN'] },
      speech: 'auto',
      positions: NO_POSITIONS,
      clock: systemClock,
      log: silentLog,
      secret: () => 'secret',
    });
    await prepared.close();
    return prepared;
  }
  const argsFor = async (...args: string[]) => (await prepare(args)).args;

  it("carry the relay's tools before the words of the person: variables by name, no question before a call", async () => {
    expect(await argsFor('--no-alt-screen', 'fix it')).toEqual([
      '-c',
      'mcp_servers.relay.command="/usr/bin/node"',
      '-c',
      'mcp_servers.relay.args=["cli.js","mcp"]',
      '-c',
      'mcp_servers.relay.env_vars=["AGENT_RELAY_TOKEN"]',
      '-c',
      'mcp_servers.relay.default_tools_approval_mode="approve"',
      '--no-alt-screen',
      'fix it',
    ]);
  });

  it('are left alone with --remote, which would not pass ours on: the first message briefs', async () => {
    for (const args of [['--remote', 'unix://'], ['--remote=unix://']]) {
      expect(await prepare(args, 'You are alice.')).toMatchObject({ args, briefByMessage: true });
    }
    expect((await prepare([], 'You are alice.')).briefByMessage).toBe(false);
  });

  it('are left alone for commands that begin no session', async () => {
    expect(await argsFor('login')).toEqual(['login']);
  });
});
