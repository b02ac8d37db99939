import { appendFileSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CodexThreads } from '../../../src/agents/codex-threads.ts';
import { silentLog } from '../../../src/base/log.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';
import { MemoryPositions } from '../../helpers/memory-positions.ts';

describe('which rollout files are ours', () => {
  let folder: string;
  let clock: FakeClock;
  let threads: CodexThreads;
  let said: string[];
  let positions: MemoryPositions;
  let failures: string[];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'agent-wrap-threads-'));
    clock = new FakeClock(Date.UTC(2026, 10, 20, 12));
    said = [];
    positions = new MemoryPositions();
    failures = [];
  });
  afterEach(async () => {
    await threads.close();
    rmSync(folder, { recursive: true });
  });

  const start = (briefing: string | undefined) => {
    const options = { folder, cwds: ['/work'], source: 'cli', briefing, positions, clock, log: silentLog };
    threads = new CodexThreads(options);
    threads.start({
      text: (_message, _offset, text) => said.push(text),
      end: () => {},
      failed: (reason) => failures.push(reason),
    });
  };

  /** Appends records to a thread's file, as of the clock. */
  const write = (name: string, ...records: [type: string, payload: object][]) => {
    const file = join(folder, '2026', '11', '20', `rollout-${name}.jsonl`);
    mkdirSync(dirname(file), { recursive: true });
    const timestamp = new Date(clock.now()).toISOString();
    for (const [type, payload] of records) {
      appendFileSync(file, `${JSON.stringify({ timestamp, type, payload })}\n`);
    }
    utimesSync(file, clock.now() / 1000, clock.now() / 1000);
    clock.advance(300);
  };
  const meta = (id: string, more: object = {}): [string, object] => [
    'session_meta',
    { id, cwd: '/work', source: 'cli', thread_source: 'user', ...more },
  ];
  const message = (role: string, text: string): [string, object] => [
    'response_item',
    { type: 'message', id: `msg-${text}`, role, content: [{ type: 'output_text', text }] },
  ];
  /** A turn as the agent's signals show it, with what is recorded in between. */
  const turn = (record: () => void) => {
    threads.turnBegan();
    record();
    threads.turnEnded();
    clock.advance(2_000);
  };

  it('the one with our briefing, and not the one of another in the same folder', () => {
    start('You are alice.');
    write('b', meta('b'), message('developer', 'You are bob.'), message('assistant', 'of bob'));
    write('a', meta('a'), message('developer', 'You are alice.'), message('assistant', 'of alice'));
    write('b', message('assistant', 'more of bob'));
    write('a', message('assistant', 'more of alice'));
    expect(said).toEqual(['of alice', 'more of alice']);
  });

  it('forks of ours', () => {
    start('You are alice.');
    write('a', meta('a'), message('developer', 'You are alice.'), message('assistant', 'one'));
    write('x', meta('x', { forked_from_id: 'unknown' }), message('assistant', 'foreign'));
    write('f', meta('f', { forked_from_id: 'a' }), message('assistant', 'two'));
    expect(said).toEqual(['one', 'two']);
  });

  it('without a briefing, those of our folder; never those of sub-agents or of `codex exec`', () => {
    start(undefined);
    write('a', meta('a'), message('assistant', 'ours'));
    write('o', meta('o', { cwd: '/elsewhere' }), message('assistant', 'elsewhere'));
    write(
      's',
      meta('s', { source: { subagent: 'review' }, thread_source: 'subagent' }),
      message('assistant', 'sub'),
    );
    write('e', meta('e', { source: 'exec' }), message('assistant', 'nested'));
    expect(said).toEqual(['ours']);
  });

  it('not those that were there before', () => {
    write('a', meta('a'), message('assistant', 'old'));
    start(undefined);
    write('a', message('assistant', 'of somebody else who resumed it'));
    expect(said).toEqual([]);
  });

  it('an older one that the person resumed, from the turn in which we missed it', () => {
    write('a', meta('a'), message('assistant', 'old'));
    clock.advance(60_000);
    start('You are alice.');
    turn(() => write('a', message('user', 'go on'), message('assistant', 'new')));
    expect(said).toEqual(['new']);
    turn(() => write('a', message('assistant', 'newer')));
    expect(said).toEqual(['new', 'newer']);
    expect(failures).toEqual([]);
  });

  it('also from a turn on that the next one followed at once', () => {
    write('a', meta('a'), message('assistant', 'old'));
    clock.advance(60_000);
    start('You are alice.');
    threads.turnBegan();
    write('a', message('assistant', 'new'));
    threads.turnEnded();
    clock.advance(900);
    turn(() => write('a', message('assistant', 'newer')));
    expect(said).toEqual(['new', 'newer']);
    expect(failures).toEqual([]);
  });

  it('and what a killed wrapper of ours did not hear in it, but nothing that was said without us', async () => {
    start(undefined);
    write('a', meta('a'), message('assistant', 'heard'));
    // The wrapper is killed here; its agent lives a moment longer.
    positions.crash(clock.now() + 1_000);
    await threads.close();
    write('a', message('assistant', 'unheard'));
    clock.advance(60_000);
    write('a', message('assistant', 'without us'));
    clock.advance(60_000);
    said = [];
    start('You are alice.');
    turn(() => write('a', message('user', 'go on'), message('assistant', 'new')));
    expect(said).toEqual(['unheard', 'new']);
    expect(failures).toEqual([]);
  });

  it('none, if two may be ours: nobody else is given our voice', () => {
    for (const name of ['a', 'b']) write(name, meta(name), message('assistant', 'old'));
    clock.advance(60_000);
    start('You are alice.');
    turn(() => {
      write('a', message('assistant', 'new a'));
      write('b', message('assistant', 'new b'));
    });
    expect(said).toEqual([]);
    expect(failures).toEqual(['two rollout files may be ours']);
  });

  it('none, if a turn left no record: the next source is used', () => {
    start('You are alice.');
    turn(() => clock.advance(1_000));
    expect(failures).toEqual(['no rollout file of ours was found']);
  });

  it('are not missed when the title only flickered, as it does while a thread is resumed', () => {
    start('You are alice.');
    turn(() => clock.advance(2));
    expect(failures).toEqual([]);
  });

  it('say so when they are not as we know them', () => {
    start(undefined);
    write('a', meta('a'), ['response_item', { type: 'message', role: 'assistant', text: 'new shape' }]);
    expect(failures).toHaveLength(1);
  });

  it('say so when a turn ends with a message that is nowhere in them', () => {
    start(undefined);
    write('a', meta('a'), ['event_msg', { type: 'task_complete', last_agent_message: 'unseen' }]);
    expect(failures).toHaveLength(1);
  });

  it('are read to their end when we close', async () => {
    start(undefined);
    const file = join(folder, '2026', '11', '20', 'rollout-z.jsonl');
    mkdirSync(dirname(file), { recursive: true });
    const lines = [meta('z'), message('assistant', 'last words')];
    writeFileSync(file, lines.map(([type, payload]) => `${JSON.stringify({ type, payload })}\n`).join(''));
    await threads.close();
    expect(said).toEqual(['last words']);
  });
});
