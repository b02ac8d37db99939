import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseChatLine } from '../../../src/agents/gemini-chat.ts';
import { GeminiChats } from '../../../src/agents/gemini-chats.ts';
import { Drafts } from '../../../src/agents/gemini-drafts.ts';
import { silentLog } from '../../../src/base/log.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';
import { MemoryPositions } from '../../helpers/memory-positions.ts';

/** Recorded from Gemini CLI 0.61.0: hello, a long answer, a tool call behind a question. */
const recorded = readFileSync(
  new URL('../../../fixtures/agents-data/gemini/chat.jsonl', import.meta.url),
  'utf8',
);

describe("a line of Gemini CLI's chat file", () => {
  it('tells who said what, and leaves out all repetitions and tools', () => {
    const lines = recorded.trimEnd().split('\n').map(parseChatLine);
    expect(lines[0]).toEqual({
      kind: 'session',
      id: 'f6edb725-4845-44dc-9058-7fd5a0d4daf7',
      main: true,
    });
    const said = lines.filter((line) => line.kind === 'speech');
    expect(said.map(({ text }) => text.slice(0, 40))).toEqual([
      'Hello **bold**\n>>relay:bob hi',
      'word0 word37 word74 word111 word148 word',
      'before the tool',
      // Written once more when the tool had run.
      'before the tool',
      'tool done\n>>relay:bob after tool',
    ]);
    expect(said[2]?.id).toBe(said[3]?.id);
    const asked = lines.filter((line) => line.kind === 'prompt');
    expect(asked.map(({ text }) => text)).toEqual(['please say hello', 'go slow', 'please use the tool']);
  });

  it('never throws, whatever it is', () => {
    fc.assert(fc.property(fc.string(), (text) => void parseChatLine(text)));
    const type = fc.constantFrom('gemini', 'user', 'info');
    fc.assert(
      fc.property(type, fc.jsonValue(), fc.jsonValue(), (kind, content, id) => {
        parseChatLine(JSON.stringify({ type: kind, id, content, timestamp: content }));
      }),
    );
  });
});

describe('what was typed here', () => {
  const match = (draft: string, prompt: string) => {
    const drafts = new Drafts();
    drafts.add(draft);
    return drafts.match(prompt);
  };

  it('is found again however the box wrapped it', () => {
    expect(match('one two\nthree  \n  four', 'one two three\n\nfour')).toBe(true);
    expect(match('one two', 'three')).toBe(false);
  });

  it('is found by its beginning, if that tells enough', () => {
    expect(match('a long beginning', 'a long beginning and an end')).toBe(true);
    expect(match('hi', 'his')).toBe(false);
  });

  it('is not looked for any more once it is on record', () => {
    const drafts = new Drafts();
    drafts.add('one');
    drafts.settle('one');
    expect(drafts.match('one')).toBe(false);
  });

  it('is found around the chip of a paste', () => {
    expect(match('see [Pasted Text: 31 lines] please', 'see\nx\ny\nplease')).toBe(true);
    expect(match('see [Pasted Text: 31 lines] please', 'please\nx\ny\nsee')).toBe(false);
  });
});

describe("Gemini CLI's chat files", () => {
  // Files bear the time of the system.
  const clock = new FakeClock(Date.now() - 3_600_000);
  const heard: string[] = [];
  const failed: string[] = [];
  let root: string;
  let chats: GeminiChats;
  let drafts: Drafts;

  let positions: MemoryPositions;

  const open = (session: string | undefined) => {
    drafts = new Drafts();
    const folder = join(root, 'tmp');
    chats = new GeminiChats({
      folder,
      cwds: ['/project'],
      session,
      drafts,
      positions,
      clock,
      log: silentLog,
    });
    chats.start({
      text: (_id, offset, text) => heard.push(`${offset}: ${text}`),
      end: () => heard.push('ends'),
      prompt: (text) => heard.push(`prompt: ${text}`),
      failed: (reason) => failed.push(reason),
    });
  };
  const begin = (session: string, project = 'project') => {
    const chat = join(root, 'tmp', project, 'chats', `session-2026-11-20T12-00-${session.slice(0, 8)}.jsonl`);
    mkdirSync(join(chat, '..'), { recursive: true });
    writeFileSync(join(root, 'tmp', project, '.project_root'), `/${project}`);
    appendFileSync(chat, `${JSON.stringify({ sessionId: session, kind: 'main' })}\n`);
    return chat;
  };
  const write = (file: string, type: 'user' | 'gemini', text: string, over: object = {}) => {
    const timestamp = new Date(clock.now()).toISOString();
    const content = type === 'user' ? [{ text }] : text;
    const row = { id: `${type} ${text} ${timestamp}`, timestamp, type, content, ...over };
    appendFileSync(file, `${JSON.stringify(row)}\n`);
  };

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'agent-wrap-gemini-'));
    heard.length = failed.length = 0;
    positions = new MemoryPositions();
  });
  afterEach(async () => {
    await chats.close();
    rmSync(root, { recursive: true, force: true });
  });

  it('are heard in the session that we named, and in no other', () => {
    open('aaaaaaaa-0000');
    const ours = begin('aaaaaaaa-0000');
    const other = begin('bbbbbbbb-0000');
    write(other, 'gemini', '>>relay:evil not ours');
    write(ours, 'user', 'hello');
    write(ours, 'gemini', 'Hi.');
    clock.advance(1_000);
    expect(heard).toEqual(['prompt: hello', '0: Hi.', 'ends']);
  });

  it('say each message once, though it is written again, also under another id', () => {
    open('aaaaaaaa-0000');
    const ours = begin('aaaaaaaa-0000');
    write(ours, 'gemini', 'ok', { id: '1' });
    write(ours, 'gemini', 'ok', { id: '1', toolCalls: [] });
    write(ours, 'gemini', 'ok', { id: '2' });
    clock.advance(1_000);
    expect(heard).toEqual(['0: ok', 'ends']);
    write(ours, 'gemini', 'ok', { id: '3' });
    clock.advance(1_000);
    expect(heard).toEqual(['0: ok', 'ends', '0: ok', 'ends']);
  });

  it('are followed into the session where something typed here stands, without what is older', () => {
    const old = begin('cccccccc-0000');
    write(old, 'user', 'my question');
    write(old, 'gemini', '>>relay:bob long ago');
    clock.advance(60_000);
    open(undefined);
    const foreign = begin('dddddddd-0000');
    drafts.add('my question');
    write(foreign, 'user', 'their question');
    write(foreign, 'gemini', '>>relay:evil theirs');
    write(old, 'user', 'my question');
    clock.advance(3_000);
    write(old, 'gemini', 'The answer.');
    clock.advance(1_000);
    expect(heard).toEqual(['prompt: my question', '0: The answer.', 'ends']);
    expect(failed).toEqual([]);
  });

  it('tell what a killed wrapper of ours did not hear in them, but nothing that was said without us', async () => {
    open('aaaaaaaa-0000');
    const ours = begin('aaaaaaaa-0000');
    write(ours, 'user', 'hello');
    const at = new Date(clock.now()).toISOString();
    write(ours, 'gemini', 'heard', { id: '1' });
    clock.advance(1_000);
    positions.crash(clock.now() + 1_000);
    await chats.close();
    heard.length = 0;
    write(ours, 'gemini', 'unheard', { id: '2' });
    clock.advance(60_000);
    write(ours, 'gemini', 'without us', { id: '3' });
    clock.advance(60_000);
    open(undefined);
    // A resumed session writes its old messages again.
    write(ours, 'gemini', 'heard', { id: '4', timestamp: at });
    drafts.add('go on with it');
    write(ours, 'user', 'go on with it');
    clock.advance(3_000);
    expect(heard).toEqual(['0: unheard', 'ends', 'prompt: go on with it']);
    expect(failed).toEqual([]);
  });

  it('are not followed into the session of another agent that was asked the same', () => {
    open('aaaaaaaa-0000');
    const ours = begin('aaaaaaaa-0000');
    const other = begin('bbbbbbbb-0000');
    drafts.add('to all: hello');
    write(other, 'user', 'to all: hello');
    write(other, 'gemini', '>>relay:evil theirs');
    write(ours, 'user', 'to all: hello');
    clock.advance(10_000);
    expect(heard).toEqual(['prompt: to all: hello']);
  });

  it('fail when two may be ours, or none is when it has answered', () => {
    open(undefined);
    for (const session of ['eeeeeeee-0000', 'ffffffff-0000']) write(begin(session), 'user', 'my question');
    drafts.add('my question');
    clock.advance(5_000);
    expect(failed).toEqual(['two chat files may be ours']);
    open('aaaaaaaa-0000');
    chats.turnEnded();
    clock.advance(5_000);
    expect(failed).toEqual(['two chat files may be ours', 'no chat file of ours was found']);
  });

  it('of another project are not looked at', () => {
    open('aaaaaaaa-0000');
    write(begin('aaaaaaaa-0000', 'elsewhere'), 'gemini', 'x');
    clock.advance(1_000);
    expect(heard).toEqual([]);
  });
});
