import { describe, expect, it } from 'vitest';
import { paneCommand } from '../../../src/tmux/pane-command.ts';
import { parseMember, type TeamMember, teamMember, teamOfWords } from '../../../src/tmux/team.ts';

describe('a word of the command line', () => {
  it('is a command, with a name before it if there is one', () => {
    expect(parseMember('claude')).toEqual({ command: ['claude'] });
    expect(parseMember("bob=codex -m 'o4 mini'")).toEqual({
      name: 'bob',
      command: ['codex', '-m', 'o4 mini'],
    });
    expect(parseMember('/opt/a=b/agent')).toEqual({ command: ['/opt/a=b/agent'] });
  });

  it.each(['', 'bob=', 'user=claude', 'a | b', "it's"])('%j is refused', (word) => {
    expect(() => parseMember(word)).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });
});

describe('a team', () => {
  const names = (words: string[], taken: string[] = []) =>
    teamOfWords(words, '/', new Set(taken)).map(({ name }) => name);

  it('gets the first names that nobody has', () => {
    expect(names(['claude', 'claude-2=codex', '/usr/bin/claude'], ['claude-1'])).toEqual([
      'claude-3',
      'claude-2',
      'claude-4',
    ]);
  });

  it('has each name once', () => {
    expect(() => names(['a=cat', 'a=cat'])).toThrow('called a already');
    expect(() => names(['a=cat'], ['a'])).toThrow('called a already');
  });
});

describe('a pane', () => {
  const member: TeamMember = teamMember(
    { name: 'bob', command: 'codex -m o4', env: { A: 1, PATH: null }, topics: ['build'], profile: 'codex' },
    '/work',
  );

  it('runs this program around the agent, in an environment of its own', () => {
    const words = paneCommand(member, {
      self: { file: '/usr/bin/node', args: ['/x/agent-wrap.js'] },
      env: { PATH: '/bin', XDG_STATE_HOME: '/s', ANTHROPIC_API_KEY: 'secret', AGENT_RELAY_TOKEN: 'as_x' },
      place: ['--namespace', 'shop'],
    });
    expect(words.join(' ')).toBe(
      'env -u AGENT_RELAY_NAME -u AGENT_RELAY_TOKEN -u AGENT_RELAY_NAMESPACE -u PATH XDG_STATE_HOME=/s A=1 ' +
        '/usr/bin/node /x/agent-wrap.js --name bob --namespace shop --topic build --profile codex -- codex -m o4',
    );
  });
});
