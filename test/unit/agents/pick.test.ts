import { describe, expect, it } from 'vitest';
import type { Adapter, AdapterContext } from '../../../src/agents/adapter.ts';
import { generic } from '../../../src/agents/generic.ts';
import { findAgent, pickAdapter } from '../../../src/agents/pick.ts';

describe('which adapter fits a command', () => {
  it.each([
    ['claude', 'claude'],
    ['/opt/bin/claude --continue', 'claude'],
    ['codex exec hi', 'codex'],
    ['opencode', 'opencode'],
    ['node /usr/lib/node_modules/@google/gemini-cli/bundle/gemini.js', 'gemini'],
    ['node --no-warnings /x/gemini.mjs', 'gemini'],
    ['npx -y @google/gemini-cli@0.61.0', 'gemini'],
    ['npx @anthropic-ai/claude-code', 'claude'],
    ['npx codex@latest', 'codex'],
    ['pnpm dlx opencode-ai', 'opencode'],
    ['env FOO=1 claude', 'claude'],
    ['bash -c claude', 'generic'],
    ['python3 agent.py', 'generic'],
    ['vim claude', 'generic'],
    ['constructor', 'generic'],
    ['node', 'generic'],
    ['node other.js claude', 'generic'],
    ['npm exec codex', 'generic'],
  ])('%s → %s', (command, profile) => {
    expect(findAgent(command.split(' '))?.profile ?? 'generic').toBe(profile);
  });

  it('our arguments go behind those of a program that runs the agent', async () => {
    let seen: AdapterContext | undefined;
    const adapter: Adapter = {
      profile: 'codex',
      async prepare(context) {
        seen = context;
        return { ...(await generic.prepare(context)), args: ['--ours', ...context.args] };
      },
    };
    const args = ['-y', '@openai/codex@1', '--theirs'];
    const picked = await pickAdapter(['npx', ...args], undefined, { codex: async () => adapter });
    const prepared = await picked.prepare({ args } as unknown as AdapterContext);
    expect(prepared.args).toEqual(['-y', '@openai/codex@1', '--ours', '--theirs']);
    expect(seen).toMatchObject({ launcher: ['-y', '@openai/codex@1'], args: ['--theirs'] });
  });

  it('a named profile wins', async () => {
    expect((await pickAdapter(['./my-wrapper.sh'], 'codex')).profile).toBe('codex');
    expect((await pickAdapter(['./my-wrapper.sh'])).profile).toBe('generic');
  });
});
