import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HandoffResult } from '../../../src/afd/handoff.ts';
import type { CommandResult } from '../../../src/afd/result.ts';
import { RelayHome } from '../../helpers/relay-home.ts';

let home: RelayHome;
beforeAll(async () => {
  home = new RelayHome();
  await home.startDaemon();
});
afterAll(() => home.remove());

/** Exactly one line, and that line a CommandResult. */
function resultOf({ stdout }: { stdout: string }): CommandResult<HandoffResult> {
  expect(stdout).toMatch(/^\{.*\}\n$/);
  return JSON.parse(stdout);
}

describe('checklist 11: agent-wrap call', () => {
  it.each([
    ['JSON', ['{"agent":"json-1"}']],
    ['key=value', ['agent=pair-1']],
  ])('checklist 11: takes its input as %s; stdout is one CommandResult, exit 0', async (_, input) => {
    const ran = await home.cli('call', 'relay-connect', ...input);
    expect(resultOf(ran)).toMatchObject({ success: true, data: { protocol: 'agent-relay' } });
    expect(ran).toMatchObject({ code: 0, stderr: '' });
  });

  it.each([
    [['relay-conect', 'agent=bob'], 'COMMAND_NOT_FOUND'],
    [['relay-connect', '{"agent":7}'], 'VALIDATION_ERROR'],
    [['relay-connect', '{"agent":'], 'USAGE'],
    [['relay-connect', 'bob'], 'USAGE'],
    [['relay-status', 'sessionId=s-0'], 'SESSION_NOT_FOUND'],
    [['relay-agents', '--namespace', 'nobody-here'], 'DAEMON_UNREACHABLE'],
  ])('checklist 11: %j is a CommandResult %s, exit 1', async (args, code) => {
    const ran = await home.cli('call', ...args);
    expect(resultOf(ran)).toMatchObject({ success: false, error: { code } });
    expect(ran.code).toBe(1);
  });

  it('checklist 11: as text, it says what happened and the way out', async () => {
    const ran = await home.cli('call', 'relay-stats', '--format', 'text');
    expect(ran.stdout).toContain('[COMMAND_NOT_FOUND]\n  did you mean relay-status?');
    expect(ran.code).toBe(1);
  });

  it('a wrong option is told on stderr, and stdout stays empty', async () => {
    const ran = await home.cli('call', 'relay-agents', '--frmat', 'text');
    expect(ran).toMatchObject({ stdout: '', code: 2, stderr: expect.stringContaining('[USAGE]') });
  });

  it('inside an agent without its token nobody is taken for the person (P10)', async () => {
    const ran = await home.run('agent-wrap', ['call', 'relay-poll'], { env: { AGENT_RELAY_NAME: 'bob' } });
    expect(resultOf(ran).error?.code).toBe('TOKEN_REQUIRED');
  });
});

describe('agent-wrap commands', () => {
  const names = async (...args: string[]) => {
    const { stdout } = await home.cli('commands', '--json', ...args);
    return (JSON.parse(stdout) as { name: string }[]).map(({ name }) => name);
  };

  it('checklist 5: lists by tag and by exclusion', async () => {
    expect(await names('--tag', 'handoff')).toEqual(['relay-connect', 'relay-reconnect']);
    expect(await names('--any-tag', 'handoff:agent-relay', '--any-tag', 'safe')).toEqual([
      'relay-connect',
      'relay-disconnect',
      'relay-reconnect',
    ]);
    expect(await names('--tag', 'agent-friendly', '--exclude', 'write')).toEqual([
      'relay-poll',
      'relay-agents',
      'relay-help',
    ]);
    expect((await home.cli('commands', '--tag', 'safe')).stdout).toContain('relay-disconnect');
  });
});

describe('the examples in docs/examples', () => {
  it('checklist 30: two plain shell scripts talk by relay-send and relay-poll', async () => {
    const [ask, answer] = await Promise.all([
      home.run('docs/examples/ask.sh', []),
      home.run('docs/examples/answer.sh', []),
    ]);
    expect(ask).toMatchObject({ code: 0, stderr: '', stdout: 'asker: 6 * 7 = ?\nasker: got 42\n' });
    expect(answer).toMatchObject({
      code: 0,
      stderr: '',
      stdout: 'answerer: asker asks 6 * 7\nanswerer: said 42\n',
    });
  });

  it('checklist 17: the handoff by hand: HELLO with the token, SEND, DELIVER, ACK, BYE', async () => {
    const { stdout: connected } = await home.cli('call', 'relay-connect', 'agent=ada');
    const ran = await home.run(process.execPath, ['docs/examples/by-hand.mjs'], { input: connected });
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    const lines = ran.stdout.split('\n').filter((line) => !line.startsWith('< ACK'));
    expect(lines).toEqual([
      '> HELLO',
      '< WELCOME ',
      '> SEND',
      '< DELIVER from ada: note to self',
      '> ACK',
      '> BYE',
      '< BYE ',
      '',
    ]);
    const again = await home.run(process.execPath, ['docs/examples/by-hand.mjs'], { input: connected });
    expect(again.stderr).toMatch(/token/);
    expect(again.stdout).not.toContain('DELIVER');
  });

  it('are in the page that explains them, word for word', () => {
    const page = readFileSync('docs/handoff-by-hand.md', 'utf8');
    for (const file of ['by-hand.mjs', 'ask.sh', 'answer.sh']) {
      expect(page, file).toContain(readFileSync(join('docs/examples', file), 'utf8'));
    }
  });
});

describe('relay-report', () => {
  it('agents shows what a wrapper sees of its agent', async () => {
    const agent = `
      until agent-wrap agents --json | grep -q '"name":"seen"[^}]*"speech":"screen"'; do sleep 0.1; done`;
    const ran = await home.run('agent-wrap', ['--name', 'seen', 'sh', '-c', agent]);
    expect(ran.code).toBe(0);
  });

  it('--mcp is refused for an agent that cannot be given it for one run', async () => {
    const ran = await home.run('agent-wrap', ['--mcp', 'sh', '-c', 'echo started']);
    expect(ran).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('[USAGE]') });
  });
});

describe('checklist 27: where a token may be seen', () => {
  it('checklist 27: the audit log is the owner’s, and neither it nor any other file of the relay has a token', async () => {
    const { data } = resultOf(await home.cli('call', 'relay-connect', 'agent=audited'));
    const { token = '', sessionId = '' } = data?.credentials ?? {};
    const audit = join(home.directory, 'audit.log');
    expect(statSync(audit).mode & 0o777).toBe(0o600);
    const last = JSON.parse(readFileSync(audit, 'utf8').trimEnd().split('\n').at(-1) as string);
    expect(last).toMatchObject({
      command: 'relay-connect',
      agent: 'audited',
      tokenId: expect.stringMatching(/^t-/),
    });
    const files = [home.logFile, ...readdirSync(home.directory).map((name) => join(home.directory, name))];
    for (const file of files.filter((each) => statSync(each).isFile())) {
      expect(readFileSync(file, 'latin1'), file).not.toContain(token);
    }
    for (const file of [home.logFile, audit]) expect(readFileSync(file, 'utf8')).not.toContain(sessionId);
  });

  it('checklist 27: a wrapped agent sees its scoped token in its environment, and no other token anywhere', async () => {
    const [seen, log] = [join(home.path, 'seen'), join(home.path, 'wrapper.log')];
    const agent = `
      until agent-wrap call relay-status >/dev/null; do sleep 0.1; done
      { env; tr '\\0' '\\n' </proc/$PPID/cmdline; cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n'; } >${seen}`;
    const options = ['--name', 'wrapped', '--log-file', log, '--log-level', 'debug'];
    const ran = await home.run('agent-wrap', [...options, 'sh', '-c', agent]);
    expect(ran.code).toBe(0);
    const text = readFileSync(seen, 'utf8');
    expect(text).toMatch(/^AGENT_RELAY_NAME=wrapped$/m);
    expect(text).toMatch(/^AGENT_RELAY_TOKEN=as_/m);
    expect(text.match(/\ba[hrs]_[A-Za-z0-9_-]{16,}/g)).toHaveLength(1);
    expect(readFileSync(log, 'utf8')).toContain('"relay.state"');
    expect(readFileSync(log, 'utf8')).not.toMatch(/\ba[hrs]_[A-Za-z0-9_-]{16,}/);
  });
});
