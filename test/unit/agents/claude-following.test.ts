import { appendFileSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SpeechSink } from '../../../src/agents/adapter.ts';
import { ClaudeFollowing } from '../../../src/agents/claude-following.ts';
import { ClaudeLedger } from '../../../src/agents/claude-ledger.ts';
import { silentLog } from '../../../src/base/log.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';
import { MemoryPositions } from '../../helpers/memory-positions.ts';

describe('a transcript that is followed', () => {
  let folder: string;
  let file: string;
  let clock: FakeClock;
  let positions: MemoryPositions;
  let ledger: ClaudeLedger;
  let sink: SpeechSink | undefined;
  let following: ClaudeFollowing;
  let taken: string[];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'agent-wrap-following-'));
    file = join(folder, 's.jsonl');
    clock = new FakeClock(Date.UTC(2026, 10, 20));
    positions = new MemoryPositions();
    ledger = new ClaudeLedger();
    sink = { text: () => {}, end: () => {}, failed: () => {} };
    taken = [];
    following = new ClaudeFollowing({
      positions,
      ledger,
      clock,
      log: silentLog,
      sink: () => sink,
      take: (event, from, at) => {
        if (event.kind !== 'speech') return;
        taken.push(event.text);
        ledger.written({ id: event.id, text: event.text, file: from, from: at, at: clock.monotonic() });
      },
    });
  });
  afterEach(async () => {
    await following.close();
    rmSync(folder, { recursive: true });
  });

  const write = (text: string) => {
    const message = { content: [{ type: 'text', text }] };
    const timestamp = new Date(clock.now()).toISOString();
    appendFileSync(file, `${JSON.stringify({ type: 'assistant', uuid: text, timestamp, message })}\n`);
    clock.advance(300);
  };
  const size = () => statSync(file).size;
  const position = () => positions.live.get(file);

  it('is heard from its end on', () => {
    write('old');
    following.follow(file);
    expect(position()?.offset).toBe(size());
    write('new');
    expect(taken).toEqual(['new']);
  });

  it('or from a time on, that of its records', () => {
    write('old');
    clock.advance(60_000);
    const since = clock.now();
    write('new');
    following.follow(file, since);
    expect(taken).toEqual(['new']);
  });

  it('is kept up to the first block that nobody has told', () => {
    following.follow(file);
    write('told');
    ledger.said('m', 'told');
    const told = size();
    write('untold');
    following.keep();
    expect(position()?.offset).toBe(told);
  });

  it('has what the hooks began to tell if they name it', () => {
    following.follow(file);
    write('one');
    ledger.said('m', 'onetwo');
    following.keep();
    expect(position()?.begun).toEqual([]);
    following.name(file);
    following.keep();
    expect(position()?.begun).toEqual([{ id: 'm', text: 'two', offset: 3 }]);
  });

  it('is kept nowhere while nobody is told', () => {
    sink = undefined;
    following.follow(file);
    write('said to nobody');
    expect(position()).toBeUndefined();
  });

  it('is read to its end when we close, and none is taken up afterwards', async () => {
    following.follow(file);
    const message = { content: [{ type: 'text', text: 'last words' }] };
    appendFileSync(file, `${JSON.stringify({ type: 'assistant', uuid: 'u', message })}\n`);
    await following.close();
    expect(taken).toEqual(['last words']);
    const other = join(folder, 't.jsonl');
    following.follow(other);
    expect(following.has(other)).toBe(false);
  });
});
