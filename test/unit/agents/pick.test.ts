import { describe, expect, it } from 'vitest';
import { pickAdapter, profileOf } from '../../../src/agents/pick.ts';

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
  ])('%s → %s', (command, profile) => {
    expect(profileOf(command.split(' '))).toBe(profile);
  });

  it('a named profile wins', () => {
    expect(pickAdapter(['./my-wrapper.sh'], 'codex').profile).toBe('codex');
    expect(pickAdapter(['./my-wrapper.sh']).profile).toBe('generic');
  });
});
