/** `agent-wrap tmux` on a real tmux server of its own. Issue "Teams", tmux. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isAlive } from '../../src/base/is-alive.ts';
import { COMMAND, OuterTerminal } from '../helpers/outer-terminal.ts';
import { hasTmux, TmuxServer } from '../helpers/tmux-server.ts';
import { waitFor } from '../helpers/wait-for.ts';

const AGENT = resolve(import.meta.dirname, '../../fixtures/agents/echo-agent.mjs');
const ECHO = `${process.execPath} ${AGENT}`;

let server: TmuxServer;
beforeEach(() => {
  server = new TmuxServer();
});
afterEach(() => server.close());

const panes = (format: string) =>
  server.tmux('list-panes', '-s', '-t', 'agent-wrap', '-F', format).split('\n');

async function agentsJoined(count: number): Promise<void> {
  await waitFor(() => {
    const { stdout } = server.try(...COMMAND, 'agents', '--json');
    return stdout !== '' && JSON.parse(stdout).agents.length === count;
  }, `${count} agents on the relay`);
}

describe.runIf(hasTmux)('agent-wrap tmux', () => {
  it('opens a pane for each agent, with its name on the border, and all are on one relay', async () => {
    const { status, stdout } = server.agentWrap(`ada=${ECHO}`, `bob=${ECHO} --flag 'two words' \\;`, ECHO);
    expect({ status, stdout }).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('attach -t agent-wrap'),
    });
    expect(panes('#{@agent_wrap_name} #{pane_title}')).toEqual(['ada ada', 'bob bob', 'node-1 node-1']);
    await agentsJoined(3);
    server.tmux('send-keys', '-t', 'agent-wrap:.0', 'say >>relay:bob hello from a pane', 'Enter');
    await waitFor(() => server.capture('agent-wrap:.1').includes('hello from a pane'), 'bob to hear it');
    const terminal = new OuterTerminal(['tmux', ...server.socket, 'attach-session'], { env: server.env });
    try {
      await terminal.see(/ada/);
      await terminal.see(/node-1/);
    } finally {
      await terminal.dispose();
    }
  });

  it('keeps its settings to its own windows', () => {
    server.tmux('new-session', '-d', '-s', 'mine');
    const settings = () =>
      ['-s', '-g', '-gw'].map((scope) => server.tmux('show-options', scope)).join('\n') +
      server.tmux('show-options', '-w', '-t', 'mine');
    const before = settings();
    expect(server.agentWrap(ECHO, ECHO).status).toBe(0);
    expect(settings()).toBe(before);
  });

  it('gives agents that do not fit into one window another one', () => {
    expect(server.agentWrap(...Array.from({ length: 14 }, () => 'cat')).status).toBe(0);
    const windows = new Set(panes('#{window_index}'));
    expect(panes('#{@agent_wrap_name}')).toHaveLength(14);
    expect(windows.size).toBe(2);
    for (const size of panes('#{pane_width} #{pane_height}')) {
      const [cols = 0, rows = 0] = size.split(' ').map(Number);
      expect(cols).toBeGreaterThan(50);
      expect(rows).toBeGreaterThan(8);
    }
  });

  it('shows the last words of an agent that could not be started', async () => {
    expect(server.agentWrap('no-such-agent').status).toBe(0);
    await waitFor(() => panes('#{pane_dead}')[0] === '1', 'the pane to be dead');
    expect(server.capture('agent-wrap')).toContain('AGENT_NOT_FOUND');
    // tmux 3.3 forgets the exit code of a program that ends at once, now and then.
    const ended = /agent-wrap {2}no-such-agent-1 {2}\S+ {2}ended/;
    await waitFor(() => ended.test(server.agentWrap('ls').stdout), 'its end');
  });

  it('lists its teams, and kills one with its agents and nothing else', async () => {
    server.tmux('new-session', '-d', '-s', 'mine', 'cat');
    expect(server.agentWrap(`ada=${ECHO}`).status).toBe(0);
    expect(server.agentWrap(`bob=${ECHO}`, '--session', 'two').status).toBe(0);
    expect(server.agentWrap('ls').stdout).toMatch(/^agent-wrap {2}ada .*running\ntwo {9}bob .*running\n$/);
    expect(server.agentWrap('kill')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('agent-wrap, two'),
    });
    expect(server.agentWrap(`x=${ECHO}`, '--session', 'two').stderr).toContain('[USAGE]');
    await agentsJoined(2);
    const pids = panes('#{pane_pid}').map(Number);
    expect(server.agentWrap('kill', 'agent-wrap').status).toBe(0);
    await waitFor(() => pids.every((pid) => !isAlive(pid)), 'the wrapper to be gone');
    expect(server.tmux('list-sessions', '-F', '#{session_name}').split('\n')).toEqual(['mine', 'two']);
    expect(server.agentWrap('kill').status).toBe(0);
    expect(server.agentWrap('ls').stdout).toBe('');
  });

  it('opens a window in the tmux it is called from, and shows it', async () => {
    server.tmux('new-session', '-d', '-s', 'mine', '-x', '170', '-y', '40', 'sh');
    server.tmux('send-keys', '-t', 'mine', `${COMMAND.join(' ')} tmux 'ada=${ECHO}' 'bob=${ECHO}'`, 'Enter');
    await waitFor(
      () => server.tmux('list-windows', '-t', 'mine').split('\n').length === 2,
      'a second window',
    );
    await waitFor(() => server.show('mine', '#{window_name}') === 'agent-wrap', 'it to be shown');
    expect(server.tmux('list-sessions', '-F', '#{session_name}')).toBe('mine');
    expect(
      server.tmux('list-panes', '-t', 'mine', '-F', '#{@agent_wrap_name} #{pane_left}').split('\n'),
    ).toEqual(['ada 0', 'bob 85']);
    server.tmux('send-keys', '-t', 'mine:0', `${COMMAND.join(' ')} tmux --no-attach 'eve=${ECHO}'`, 'Enter');
    await waitFor(() => server.tmux('list-windows', '-t', 'mine').split('\n').length === 3, 'a third window');
    await waitFor(() => server.agentWrap('ls').stdout.includes('eve'), 'eve');
    await waitFor(() => server.show('mine', '#{window_index}') === '1', 'what was shown to be shown again');
  });

  it('attaches a terminal', async () => {
    const terminal = new OuterTerminal(
      [...COMMAND, 'tmux', '--socket-name', server.socket[1] as string, `ada=${ECHO}`],
      { env: { ...server.env, TMUX: undefined, TMUX_PANE: undefined } },
    );
    try {
      await terminal.see(/ready \d+/);
      expect(server.show('agent-wrap', '#{window_width}x#{window_height}')).toBe('80x23');
      server.tmux('detach-client', '-s', 'agent-wrap');
      expect(await terminal.end()).toBe(0);
    } finally {
      await terminal.dispose();
    }
  });

  it('opens the agents of a pairing file and sends its opening messages', async () => {
    mkdirSync(join(server.home, 'work'));
    writeFileSync(
      join(server.home, 'pair.yaml'),
      `agents:
  - {name: ada, command: ["${process.execPath}", "${AGENT}"], cwd: work, env: {COLOUR: "a;b 'c'", PATH: null}}
  - {name: bob, command: ["${process.execPath}", "${AGENT}"], topics: [build], prompt: first words}
messages:
  - {topic: build, body: the build is red}
`,
    );
    expect(server.agentWrap('pair.yaml')).toMatchObject({ status: 0, stderr: '' });
    await waitFor(() => server.capture('agent-wrap:.1').includes('first words'), 'the prompt');
    await waitFor(() => server.capture('agent-wrap:.1').includes('the build is red'), 'the message');
    server.tmux('send-keys', '-t', 'agent-wrap:.0', 'env COLOUR', 'Enter', 'env PATH', 'Enter');
    await waitFor(() => server.capture('agent-wrap:.0').includes("COLOUR=a;b 'c'"), 'the environment');
    expect(server.show('agent-wrap:.0', '#{pane_start_path}')).toBe(join(server.home, 'work'));
  });
});

describe('without a tmux that can be used', () => {
  it('says that there is none, or that it is too old', () => {
    const tools = join(server.home, 'bin');
    mkdirSync(tools);
    server.env.PATH = tools;
    expect(server.agentWrap('cat')).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('[TMUX_MISSING]'),
    });
    writeFileSync(join(tools, 'tmux'), '#!/bin/sh\necho tmux 3.1c\n', { mode: 0o755 });
    expect(server.agentWrap('cat')).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('[TMUX_TOO_OLD]'),
    });
  });
});
