import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AdapterContext, McpLaunch } from '../../../src/agents/adapter.ts';
import {
  beginsSession,
  type Hooks,
  httpHooks,
  isInteractive,
  launchArguments,
} from '../../../src/agents/claude-launch.ts';
import { rewakeHook } from '../../../src/agents/claude-rewake.ts';
import { NO_POSITIONS } from '../../../src/agents/positions.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { silentLog } from '../../../src/base/log.ts';

const ID = '11111111-2222-4333-8444-555555555555';
const THEIRS = '99999999-2222-4333-8444-555555555555';
const URL = 'http://127.0.0.1:1/secret';

describe('the arguments of Claude Code', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'agent-wrap-launch-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const launch = (
    args: string[],
    options: { briefing?: string; url?: string; mcp?: McpLaunch; more?: Hooks } = { url: URL },
  ) => {
    const context: AdapterContext = {
      name: 'alice',
      file: 'claude',
      args,
      env: {},
      cwd: folder,
      runDirectory: () => folder,
      briefing: options.briefing,
      mcp: options.mcp,
      speech: 'auto',
      positions: NO_POSITIONS,
      clock: systemClock,
      log: silentLog,
      secret: () => 'secret',
    };
    const hooks = options.url === undefined ? {} : httpHooks(options.url, 'MessageDisplay', 'Stop');
    return launchArguments(context, { ...hooks, ...options.more }, ID);
  };
  const settingsOf = (args: readonly string[]) =>
    JSON.parse(readFileSync(args[args.indexOf('--settings') + 1] as string, 'utf8'));

  it('carry our hooks in a file that only the person can read', () => {
    const { args, hooked, sessionId } = launch(['fix it']);
    const file = join(folder, 'claude-settings.json');
    expect(args).toEqual(['--settings', file, '--session-id', ID, 'fix it']);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(settingsOf(args).hooks.MessageDisplay).toEqual([
      { hooks: [{ type: 'http', url: URL, timeout: 5 }] },
    ]);
    expect({ hooked, sessionId }).toEqual({ hooked: true, sessionId: ID });
  });

  it("carry the relay's tools, in words that cannot take the person's prompt for their own", () => {
    const mcp = { command: 'node', args: ['cli.js', 'mcp'], envVars: ['AGENT_RELAY_TOKEN'] };
    const { args } = launch(['--continue', 'fix it'], { mcp });
    const [config = '', allowed, ...rest] = args;
    expect(config).toMatch(/^--mcp-config=/);
    expect(JSON.parse(config.slice('--mcp-config='.length))).toEqual({
      mcpServers: {
        relay: { type: 'stdio', command: 'node', args: ['cli.js', 'mcp'], alwaysLoad: true },
      },
    });
    expect(allowed).toBe('--allowedTools=mcp__relay');
    expect(rest).toEqual(['--continue', 'fix it']);
  });

  it("keep the person's settings, given as JSON or as a file, and put our hooks behind theirs", () => {
    const theirs = { model: 'x', hooks: { Stop: [{ hooks: ['theirs'] }], PreToolUse: ['t'] } };
    writeFileSync(join(folder, 'theirs.json'), JSON.stringify(theirs));
    for (const given of [['--settings', JSON.stringify(theirs)], ['--settings=theirs.json']]) {
      const { args } = launch([...given, '-p', 'go']);
      expect(args.filter((arg) => arg.startsWith('--settings'))).toEqual(['--settings']);
      expect(args.slice(-2)).toEqual(['-p', 'go']);
      const settings = settingsOf(args);
      expect(settings.model).toBe('x');
      expect(settings.hooks.PreToolUse).toEqual(['t']);
      expect(settings.hooks.Stop[0]).toEqual({ hooks: ['theirs'] });
      expect(settings.hooks.Stop).toHaveLength(2);
    }
  });

  it('leave what the person watches watched, and watch our file beside it', () => {
    const theirs = { hooks: { FileChanged: [{ matcher: '.envrc', hooks: ['theirs'] }] } };
    const ours = rewakeHook("/run/it's here/agent-wrap-x");
    const { args } = launch(['--settings', JSON.stringify(theirs)], { more: { FileChanged: ours } });
    expect(settingsOf(args).hooks.FileChanged).toEqual([...theirs.hooks.FileChanged, ours]);
    expect(ours.matcher).toBe("/run/it's here/agent-wrap-x|agent-wrap-x");
  });

  it('are theirs alone if their settings cannot be read', () => {
    const { args, hooked } = launch(['--settings', 'missing.json']);
    expect(args).toEqual(['--session-id', ID, '--settings', 'missing.json']);
    expect(hooked).toBe(false);
  });

  it('name a session only if it has none yet', () => {
    for (const given of [
      ['--continue'],
      ['-c'],
      ['--resume'],
      ['-r', 'a title'],
      ['--session-id', THEIRS],
      [`--resume=${THEIRS}`],
    ]) {
      const { args, sessionId } = launch(given);
      expect(args).not.toContain(ID);
      expect(sessionId).toBe(given.join().includes(THEIRS) ? THEIRS : undefined);
    }
  });

  it('append the briefing to what the person appends to the system prompt', () => {
    const value = (args: readonly string[]) => args[args.indexOf('--append-system-prompt') + 1];
    expect(value(launch(['x'], { briefing: 'B' }).args)).toBe('B');
    const { args } = launch(['--append-system-prompt', 'A', 'x'], { briefing: 'B' });
    expect(value(args)).toBe('A\n\nB');
    expect(args.filter((arg) => arg === '--append-system-prompt')).toHaveLength(1);
    writeFileSync(join(folder, 'a.md'), 'F');
    expect(value(launch(['--append-system-prompt-file', 'a.md'], { briefing: 'B' }).args)).toBe('F\n\nB');
  });

  it('take what stands behind -- for text', () => {
    const { args } = launch(['--', '--settings', 'is a word']);
    expect(args.slice(-3)).toEqual(['--', '--settings', 'is a word']);
  });

  it('of commands that begin no session are left alone', () => {
    expect(beginsSession(['mcp', 'list'])).toBe(false);
    expect(beginsSession(['--version'])).toBe(false);
    expect(beginsSession(['-p', 'mcp'])).toBe(true);
    expect(beginsSession([])).toBe(true);
    expect(isInteractive([])).toBe(true);
    expect(isInteractive(['--print', 'go'])).toBe(false);
  });
});
