import { appendFileSync, mkdtempSync, rmSync, statSync, utimesSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SpeechSource } from '../../../src/agents/adapter.ts';
import { ClaudeSpeech } from '../../../src/agents/claude-speech.ts';
import { HookServer } from '../../../src/agents/hook-server.ts';
import { silentLog } from '../../../src/base/log.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';
import { MemoryPositions } from '../../helpers/memory-positions.ts';

describe('the two sources of Claude Code', () => {
  let folder: string;
  let clock: FakeClock;
  let hooks: HookServer;
  let speech: ClaudeSpeech;
  let said: Map<string, string>;
  let prompts: string[];
  let positions: MemoryPositions;
  let failures: string[];

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'agent-wrap-speech-'));
    clock = new FakeClock(Date.now());
    hooks = await HookServer.listen('secret', silentLog);
    said = new Map();
    prompts = [];
    positions = new MemoryPositions();
    failures = [];
    blocks = [];
  });
  afterEach(async () => {
    await speech.close();
    await hooks.close();
    rmSync(folder, { recursive: true });
  });

  /** As the wrapper uses them: the next one when one fails. */
  /** Where blocks ended: lengths of what was said by then. */
  let blocks: string[];
  const start = (sessionId: string | undefined, ...kinds: ('hook' | 'transcript')[]) => {
    speech = new ClaudeSpeech({ folders: [folder], sessionId, hooks, positions, clock, log: silentLog });
    const listen = (source: SpeechSource | undefined): void =>
      source?.start({
        text(id, offset, text) {
          const before = said.get(id) ?? ' '.repeat(offset);
          expect(offset).toBe(before.length);
          said.set(id, before + text);
        },
        block: (id) => blocks.push(`${id}:${said.get(id)?.length}`),
        end: () => {},
        prompt: (text) => prompts.push(text),
        failed(reason) {
          failures.push(reason);
          void source.close();
          kinds.shift();
          if (kinds[0]) listen(speech[kinds[0]]);
        },
      });
    if (kinds[0]) listen(speech[kinds[0]]);
  };
  const hook = (name: string, more: object) =>
    new Promise<void>((resolve, reject) => {
      const sent = request(hooks.url, { method: 'POST' }, (response) => {
        response.resume().on('end', resolve);
      });
      sent.on('error', reject);
      sent.end(JSON.stringify({ hook_event_name: name, ...more }));
    });
  const display = (id: string, index: number, delta: string, final = false) =>
    hook('MessageDisplay', { message_id: id, index, delta, final });
  /** A block of the model in the transcript of a session. */
  const write = (session: string, id: string, text: string, message_id?: string) => {
    const file = join(folder, `${session}.jsonl`);
    const timestamp = new Date(clock.now()).toISOString();
    const message = { id: message_id, content: [{ type: 'text', text }] };
    appendFileSync(file, `${JSON.stringify({ type: 'assistant', uuid: id, timestamp, message })}\n`);
    utimesSync(file, clock.now() / 1000, clock.now() / 1000);
    clock.advance(300);
  };

  it('say everything once, by the hooks, while both tell it', async () => {
    start('s', 'hook', 'transcript');
    await hook('UserPromptSubmit', { prompt: 'hi' });
    await display('m', 0, 'one\n');
    await display('m', 1, 'two', true);
    write('s', 'u', 'one\ntwo');
    await hook('Stop', { last_assistant_message: 'one\ntwo' });
    clock.advance(10_000);
    expect([...said.values()]).toEqual(['one\ntwo']);
    expect(prompts).toEqual(['hi']);
    expect(failures).toEqual([]);
  });

  it('change in the middle of a message when the hooks stop to come', async () => {
    start('s', 'hook', 'transcript');
    await display('m', 0, '>>relay:bob one\n');
    write('s', 'u1', '>>relay:bob one\n>>relay:bob two\n');
    write('s', 'u2', 'three');
    clock.advance(4_000);
    expect(failures).toEqual(['the transcript has text that no hook told']);
    write('s', 'u3', 'four');
    expect([...said]).toEqual([
      ['m', '>>relay:bob one\n>>relay:bob two\n'],
      ['u2', 'three'],
      ['u3', 'four'],
    ]);
  });

  it('change when a turn ends with words that no hook told', async () => {
    start('s', 'hook', 'transcript');
    await hook('Stop', { last_assistant_message: 'untold' });
    clock.advance(4_000);
    expect(failures).toEqual(['the hooks did not tell the last message of a turn']);
  });

  it('change when the hooks are not as we know them', async () => {
    start('s', 'hook', 'transcript');
    write('s', 'u', 'words');
    await hook('MessageDisplay', { text: 'new shape' });
    expect([...said.values()]).toEqual(['words']);
  });

  it('do not hear sub-agents', async () => {
    start('s', 'hook');
    await hook('MessageDisplay', { message_id: 'x', index: 0, delta: 'sub', final: true, agent_id: 'a1' });
    await hook('Stop', { last_assistant_message: 'sub', agent_id: 'a1' });
    clock.advance(10_000);
    expect(said.size).toBe(0);
    expect(failures).toEqual([]);
  });

  it('read a transcript that was there before from its end', () => {
    write('s', 'u1', 'old');
    start('s', 'transcript');
    write('s', 'u2', 'new');
    expect([...said.values()]).toEqual(['new']);
  });

  it('tell what a killed wrapper did not hear, and what it had begun under the same id', async () => {
    start('s', 'hook', 'transcript');
    const transcript_path = join(folder, 's.jsonl');
    write('s', 'u0', 'before');
    await display('l', 0, 'before', true);
    await hook('UserPromptSubmit', { prompt: 'hi', transcript_path });
    await display('m', 0, '>>relay:bob one\n');
    positions.crash(clock.now() + 1_000);
    await speech.close();
    said.clear();
    write('s', 'u1', '>>relay:bob one\n>>relay:bob two\n');
    write('s', 'u2', 'three');
    clock.advance(60_000);
    write('s', 'u3', 'said without us');
    start(undefined, 'hook', 'transcript');
    await hook('UserPromptSubmit', { prompt: 'go on', transcript_path });
    await display('n', 0, 'new', true);
    write('s', 'u4', 'new');
    clock.advance(10_000);
    expect([...said]).toEqual([
      ['m', '>>relay:bob one\n>>relay:bob two\n'],
      ['u2', 'three'],
      ['n', 'new'],
    ]);
    expect(failures).toEqual([]);
    // All of it is heard now.
    expect(positions.live.get(transcript_path)).toEqual({
      offset: statSync(transcript_path).size,
      begun: [],
    });
  });

  it('tell a directive that the hooks glued to other words before the transcript could tell', async () => {
    start('s', 'hook', 'transcript');
    const transcript_path = join(folder, 's.jsonl');
    const delta = 'one[[RELAY]]\n{"to":"bob"}\n[[/RELAY]]\n>>relay:bob two\n';
    await hook('MessageDisplay', { message_id: 'm', index: 0, delta, final: true, transcript_path });
    write('s', 'u1', 'one', 'msg_1');
    write('s', 'u2', delta.slice(3), 'msg_1');
    clock.advance(10_000);
    expect([...said]).toEqual([
      ['m', delta],
      ['m+3', '[[RELAY]]\n{"to":"bob"}\n[[/RELAY]]'],
    ]);
    expect(failures).toEqual([]);
  });

  it.each([
    ['nothing', []],
    ['its first block', ['u1']],
    ['its first two blocks', ['u1', 'u2']],
  ])(
    'tell under one id a message of several blocks of which a killed wrapper saw %s',
    async (_what, seen) => {
      const texts: Record<string, string> = {
        u1: 'one\n',
        u2: '>>relay:bob two',
        u3: 'three\n>>relay:bob four',
      };
      const whole = Object.values(texts).join('');
      const transcript_path = join(folder, 's.jsonl');
      start('s', 'hook', 'transcript');
      await hook('UserPromptSubmit', { prompt: 'hi', transcript_path });
      await hook('MessageDisplay', { message_id: 'm', index: 0, delta: whole, final: true, transcript_path });
      for (const id of seen) write('s', id, texts[id] as string, 'msg_1');
      positions.crash(clock.now() + 10_000);
      await speech.close();
      said.clear();
      blocks = [];
      for (const id of Object.keys(texts)) {
        if (!seen.includes(id)) write('s', id, texts[id] as string, 'msg_1');
      }
      start(undefined, 'hook', 'transcript');
      await hook('UserPromptSubmit', { prompt: 'go on', transcript_path });
      clock.advance(1_000);
      const heard = seen.map((id) => texts[id]).join('').length;
      // What is told stands where it stood before: the same directives get the same ids.
      expect([...said.keys()]).toEqual(['m']);
      expect(said.get('m')?.slice(heard)).toBe(whole.slice(heard));
      expect(blocks).toHaveLength(3 - seen.length);
    },
  );

  it('find the session of which they were not told, in the turn that they missed', () => {
    write('s', 'u1', 'old');
    write('other', 'v1', 'old of another');
    clock.advance(60_000);
    start(undefined, 'transcript');
    speech.turnBegan();
    write('s', 'u2', 'new');
    speech.turnEnded();
    clock.advance(2_000);
    expect([...said.values()]).toEqual(['new']);
    expect(failures).toEqual([]);
  });

  it('give nobody else our voice: two sessions in question are none', () => {
    start(undefined, 'transcript');
    speech.turnBegan();
    write('s', 'u', 'a');
    write('t', 'v', 'b');
    speech.turnEnded();
    clock.advance(2_000);
    expect(said.size).toBe(0);
    expect(failures).toEqual(['two transcripts may be ours']);
  });

  it('tell at the end what only the transcript has', async () => {
    start('s', 'hook', 'transcript');
    write('s', 'u', 'last words');
    await speech.close();
    await speech.close();
    expect([...said.values()]).toEqual(['last words']);
  });
});
