import { describe, expect, it } from 'vitest';
import { type Adapter, type AdapterContext, PROFILES, SPEECH_KINDS } from '../../../src/agents/adapter.ts';
import { generic } from '../../../src/agents/generic.ts';
import { findAgent, pickAdapter, requireSource } from '../../../src/agents/pick.ts';

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
    ['npx -p @openai/codex codex', 'codex'],
    ['npx --package @openai/codex -- other', 'generic'],
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
      sources: [],
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

  it('our arguments go behind the program, not behind the package it is taken from', () => {
    expect(findAgent(['npx', '-p', '@openai/codex', 'codex', 'exec'])?.index).toBe(3);
  });

  it('a named profile wins', async () => {
    expect((await pickAdapter(['./my-wrapper.sh'], 'codex')).profile).toBe('codex');
    expect((await pickAdapter(['./my-wrapper.sh'])).profile).toBe('generic');
  });
});

describe('--speech', () => {
  it.each([
    ['claude', ['hook', 'transcript', 'screen']],
    ['codex', ['transcript', 'screen']],
    ['opencode', ['api', 'screen']],
    ['gemini', ['transcript', 'screen']],
    ['generic', ['screen']],
  ] as const)(
    'of the profile %s is auto or one of %j; anything else is told what is',
    async (profile, valid) => {
      const adapter = await pickAdapter(['x'], profile);
      for (const speech of ['auto', ...SPEECH_KINDS] as const) {
        const check = () => requireSource(adapter, speech);
        if (speech === 'auto' || (valid as readonly string[]).includes(speech)) expect(check).not.toThrow();
        else
          expect(check).toThrow(
            expect.objectContaining({ code: 'USAGE', suggestion: expect.stringContaining('screen') }),
          );
      }
      expect(PROFILES).toContain(adapter.profile);
    },
  );
});
