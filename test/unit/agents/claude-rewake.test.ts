/** The hook's own command is run here as Claude Code runs it: by a shell, when the file has changed. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AgentState } from '../../../src/agents/adapter.ts';
import { ClaudeRewake, rewakeHook } from '../../../src/agents/claude-rewake.ts';
import { RelayError } from '../../../src/base/errors.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';

describe('waking Claude Code by a hook', () => {
  let folder: string;
  let file: string;
  let clock: FakeClock;
  let agent: { state: AgentState };
  let channel: ClaudeRewake;
  let ends: string[];

  beforeEach(() => {
    folder = join(mkdtempSync(join(tmpdir(), 'agent-wrap-rewake-')), "it's here");
    mkdirSync(folder);
    file = join(folder, 'agent-wrap-x');
    clock = new FakeClock();
    agent = { state: 'ready' };
    channel = new ClaudeRewake({ file, state: agent, clock });
    ends = [];
  });
  const close = async () => {
    const closed = channel.close();
    await clock.advanceAsync(100);
    await closed;
  };
  afterEach(async () => {
    await close();
    rmSync(join(folder, '..'), { recursive: true });
  });

  /** The hook runs: what Claude Code gets of it. */
  const runHook = () => {
    const [{ command }] = rewakeHook(file).hooks as [{ command: string }];
    const { status, stderr } = spawnSync('sh', ['-c', command], { input: '{}', encoding: 'utf8' });
    return { status, stderr };
  };
  const deliver = (text: string, id: string) => {
    const end = (word: string) => void ends.push(`${id} ${word}`);
    channel.deliver(text, id).then(
      () => end('taken'),
      (error) => end(RelayError.from(error).code),
    );
  };
  const pass = (ms: number) => clock.advanceAsync(ms);

  it('is confirmed by the prompt that Claude Code took, not by the hook that ran', async () => {
    const text = "Relay message from bob [1a]: $HOME `x` %s \\n 'q'\n\n  日本語\n[end]";
    deliver(text, '1a');
    await pass(100);
    expect(runHook()).toEqual({ status: 2, stderr: text });
    await pass(100);
    expect(ends).toEqual([]);
    channel.taken(`<task-notification>…${text}…`);
    await pass(100);
    expect(ends).toEqual(['1a taken']);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('gives a message to one hook only, however many run', async () => {
    deliver('once [1a]', '1a');
    await pass(100);
    expect([runHook().status, runHook().status, runHook().status]).toEqual([2, 0, 0]);
  });

  it('hands over one after the other', async () => {
    deliver('first [1a]', '1a');
    deliver('second [2b]', '2b');
    await pass(100);
    expect(runHook().stderr).toBe('first [1a]');
    await pass(1_000);
    expect(existsSync(file)).toBe(false);
    channel.taken('first [1a]');
    await pass(100);
    expect(readFileSync(file, 'utf8')).toBe('second [2b]');
  });

  it('lays a message down again that came before the watch, and takes it back where no hook runs', async () => {
    deliver('early [1a]', '1a');
    await pass(2_500);
    expect(readFileSync(file, 'utf8')).toBe('early [1a]');
    await pass(10_000);
    expect(ends).toEqual(['1a DEFERRED']);
    expect(runHook()).toEqual({ status: 0, stderr: '' });
  });

  it('waits behind a question or an answer as long as that takes', async () => {
    agent.state = 'dialog';
    deliver('patient [1a]', '1a');
    await pass(100);
    runHook();
    await pass(3_600_000);
    expect(ends).toEqual([]);
    agent.state = 'ready';
    await pass(10_000);
    channel.taken('patient [1a]');
    await pass(100);
    expect(ends).toEqual(['1a taken']);
  });

  it('does not know whether it is there when a hook took it and nothing followed', async () => {
    deliver('lost? [1a]', '1a');
    await pass(100);
    runHook();
    await pass(20_000);
    expect(ends).toEqual(['1a NOT_CONFIRMED']);
  });

  it('takes back what waits when it ends, and refuses what no hook can carry', async () => {
    deliver('x'.repeat(96_000), '1a');
    deliver('late [2b]', '2b');
    await pass(100);
    await close();
    expect(ends).toEqual(['1a MESSAGE_TOO_LARGE', '2b DEFERRED']);
    expect(runHook().status).toBe(0);
  });
});
