import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { mcpLaunch } from '../../../src/cli/mcp-launch.ts';
import { selfCommand } from '../../../src/cli/self.ts';

describe('the MCP server of a wrapped agent', () => {
  it('is this program, at the relay of the wrapper, wherever the agent is', () => {
    const { command, args } = mcpLaunch('claude', { socketPath: 'relay.sock' });
    expect([command, ...args]).toEqual([
      selfCommand().file,
      ...selfCommand().args,
      'mcp',
      '--socket',
      resolve('relay.sock'),
    ]);
    expect(mcpLaunch('codex', { socketPath: undefined }).args.at(-1)).toBe('mcp');
  });

  it('is told whose it is, and where relays live', () => {
    const { envVars } = mcpLaunch('codex', { socketPath: undefined });
    expect(envVars).toContain('AGENT_RELAY_TOKEN');
    expect(envVars).toContain('XDG_STATE_HOME');
  });

  it.each(['opencode', 'gemini', 'generic'] as const)('is refused for %s', (profile) => {
    expect(() => mcpLaunch(profile, { socketPath: undefined })).toThrow(
      expect.objectContaining({
        code: 'USAGE',
        message: '--mcp is for claude and codex, not for this agent',
      }),
    );
  });
});
