import { describe, expect, it } from 'vitest';
import { isConversation, planServer, withInstructions } from '../../../src/agents/opencode-launch.ts';

describe('a server for opencode', () => {
  it('gets a loopback port and a password of this run', () => {
    expect(planServer(['-m', 'x/y'], {}, 23_456, 'secret')).toEqual({
      args: ['--port', '23456', '--hostname', '127.0.0.1'],
      env: { OPENCODE_SERVER_PASSWORD: 'secret' },
      port: 23_456,
      user: 'opencode',
      password: 'secret',
    });
  });

  it("keeps the person's own password, user and port", () => {
    const env = { OPENCODE_SERVER_PASSWORD: 'theirs', OPENCODE_SERVER_USERNAME: 'me' };
    expect(planServer([], env, 23_456, 'secret')).toMatchObject({ env: {}, user: 'me', password: 'theirs' });
    expect(planServer(['--port=4097'], env, 23_456, 'secret')).toEqual({
      args: [],
      env: {},
      port: 4097,
      user: 'me',
      password: 'theirs',
    });
  });

  it.each([
    ['their port without a password', ['--port', '4097'], {}],
    ['a server open to the network without a password', ['--mdns'], {}],
    ['a port that only opencode knows', ['--port', '0'], { OPENCODE_SERVER_PASSWORD: 'x' }],
    ['another address', ['--port', '4097', '--hostname', '192.0.2.1'], { OPENCODE_SERVER_PASSWORD: 'x' }],
    ['--mini, which has none', ['--mini'], {}],
  ])('is not used: %s', (_, args, env) => {
    expect(planServer(args, env, 23_456, 'secret')).toBeTypeOf('string');
  });

  it('does not take what follows -- for an option', () => {
    expect(planServer(['--', '--port'], {}, 23_456, 'secret')).toMatchObject({ port: 23_456 });
  });
});

describe('what opencode is started for', () => {
  it.each([[], ['.'], ['--continue'], ['-s', 'run'], ['--prompt', 'serve me'], ['src', '--agent', 'plan']])(
    'is a conversation: %j %j %j',
    (...args) => expect(isConversation(args)).toBe(true),
  );
  it.each([
    ['run', 'hi'],
    ['serve', '--port', '1'],
    ['attach', 'http://x'],
    ['--version'],
    ['auth', 'login'],
  ])('is none: %j %j %j', (...args) =>
    expect(isConversation(args.filter((arg) => arg !== undefined))).toBe(false),
  );
});

describe("opencode's instructions", () => {
  it("are joined to the person's own", () => {
    const env = { OPENCODE_CONFIG_CONTENT: '{"theme":"x","instructions":["a.md"]}' };
    expect(JSON.parse(withInstructions(env, '/run/b.md')?.OPENCODE_CONFIG_CONTENT ?? '')).toEqual({
      theme: 'x',
      instructions: ['a.md', '/run/b.md'],
    });
    expect(withInstructions({}, '/run/b.md')).toEqual({
      OPENCODE_CONFIG_CONTENT: '{"instructions":["/run/b.md"]}',
    });
  });

  it('are left alone if we cannot read theirs', () => {
    expect(withInstructions({ OPENCODE_CONFIG_CONTENT: '{ // theirs\n}' }, '/run/b.md')).toBeUndefined();
  });
});
