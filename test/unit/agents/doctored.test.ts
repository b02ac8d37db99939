/**
 * What an agent wrote, as recorded, with one name in it changed as a new version might change it: the source
 * hears the same, or says that it does not recognise what it reads. Never does it go deaf in silence.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { SpeechSink } from '../../../src/agents/adapter.ts';
import { CodexThreads } from '../../../src/agents/codex-threads.ts';
import { GeminiChats } from '../../../src/agents/gemini-chats.ts';
import { Drafts } from '../../../src/agents/gemini-drafts.ts';
import { parseOpencodeEvent } from '../../../src/agents/opencode-event.ts';
import { OpencodeSessions } from '../../../src/agents/opencode-sessions.ts';
import { NO_POSITIONS } from '../../../src/agents/positions.ts';
import { Recognition } from '../../../src/agents/recognition.ts';
import { silentLog } from '../../../src/base/log.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';

const recorded = (name: string): string[] =>
  readFileSync(new URL(`../../../fixtures/agents-data/${name}`, import.meta.url), 'utf8')
    .trimEnd()
    .split('\n');

/** The lines with this name, key or value, changed. */
const rename = (lines: string[], name: string): string[] =>
  lines.map((line) => line.replaceAll(`"${name}"`, `"${name}X"`));

interface Outcome {
  said: string[];
  failed: string[];
}

const sinkOf = ({ said, failed }: Outcome): SpeechSink => ({
  text: (_message, _offset, text) => said.push(text),
  end: () => {},
  failed: (reason) => failed.push(reason),
});

/** Two turns. */
function playCodex(lines: string[], briefing = 'You are alice.'): Outcome {
  const outcome: Outcome = { said: [], failed: [] };
  const folder = mkdtempSync(join(tmpdir(), 'agent-wrap-doctored-'));
  const day = join(folder, '2026', '11', '20');
  const clock = new FakeClock(Date.UTC(2026, 10, 20, 14, 37));
  const options = {
    folder,
    cwds: ['/home/tester/box/project'],
    source: 'cli',
    briefing: briefing || undefined,
  };
  const threads = new CodexThreads({ ...options, positions: NO_POSITIONS, clock, log: silentLog });
  threads.start(sinkOf(outcome));
  mkdirSync(day, { recursive: true });
  for (const end of [14, lines.length]) {
    threads.turnBegan();
    writeFileSync(join(day, 'rollout-a.jsonl'), `${lines.slice(0, end).join('\n')}\n`);
    clock.advance(500);
    threads.turnEnded();
    clock.advance(3_000);
  }
  void threads.close();
  rmSync(folder, { recursive: true });
  return outcome;
}

/** Two turns of the session that we named. */
function playGemini(lines: string[]): Outcome {
  const outcome: Outcome = { said: [], failed: [] };
  const root = mkdtempSync(join(tmpdir(), 'agent-wrap-doctored-'));
  // The files bear the time of the system, the records that of the recording.
  const clock = new FakeClock(Date.UTC(2026, 10, 20, 14, 28));
  const chats = new GeminiChats({
    folder: root,
    cwds: ['/project'],
    session: 'f6edb725-4845-44dc-9058-7fd5a0d4daf7',
    drafts: new Drafts(),
    positions: NO_POSITIONS,
    clock,
    log: silentLog,
  });
  chats.start(sinkOf(outcome));
  mkdirSync(join(root, 'p', 'chats'), { recursive: true });
  writeFileSync(join(root, 'p', '.project_root'), '/project');
  for (const end of [6, lines.length]) {
    writeFileSync(join(root, 'p', 'chats', 'session-a.jsonl'), `${lines.slice(0, end).join('\n')}\n`);
    clock.advance(1_000);
    chats.turnEnded();
    clock.advance(4_000);
  }
  void chats.close();
  rmSync(root, { recursive: true });
  return outcome;
}

/** All at once; then two turns have ended. */
function playOpencode(lines: string[]): Outcome {
  const outcome: Outcome = { said: [], failed: [] };
  const recognition = new Recognition();
  const text = (_message: string, _offset: number, words: string) => {
    recognition.speech();
    outcome.said.push(words);
  };
  const sessions = new OpencodeSessions({
    started: 0,
    sink: { text, end: () => {}, prompt: () => {} },
    entered: () => false,
    told: () => {},
    // What the server answers when it is asked for a session.
    lookUp: (id) => sessions.push({ kind: 'session', session: { id, parent: undefined, title: '' } }),
    changed: () => {},
  });
  for (const line of lines) {
    const event = parseOpencodeEvent(line);
    if (event?.kind === 'strange') recognition.strange(event.reason);
    else if (event) sessions.push(event);
  }
  recognition.turnEnded();
  const wrong = recognition.turnEnded();
  if (wrong !== undefined) outcome.failed.push(wrong);
  return outcome;
}

const codexNames = [
  ...['type', 'payload', 'id', 'cwd', 'source', 'thread_source', 'role', 'assistant', 'content', 'text'],
  ...['session_meta', 'response_item', 'event_msg', 'message', 'item_completed', 'task_complete'],
  ...['last_agent_message', 'item', 'UserMessage', 'output_text', 'timestamp', 'developer'],
];
const geminiNames = ['sessionId', 'kind', 'id', 'timestamp', 'type', 'gemini', 'user', 'content', 'text'];
const opencodeNames = [
  ...['type', 'properties', 'info', 'part', 'sessionID', 'messageID', 'id', 'role', 'assistant', 'text'],
  ...['message.updated', 'message.part.updated', 'message.part.delta', 'delta', 'time', 'session.updated'],
  ...['session.created', 'session.status', 'session.idle', 'mode', 'end'],
];

describe.each([
  { agent: 'codex', play: playCodex, lines: recorded('codex/rollout.jsonl'), names: codexNames },
  { agent: 'gemini', play: playGemini, lines: recorded('gemini/chat.jsonl'), names: geminiNames },
  { agent: 'opencode', play: playOpencode, lines: recorded('opencode/events.jsonl'), names: opencodeNames },
])('what $agent wrote', ({ play, lines, names }) => {
  const whole = play(lines);

  it('is heard as it was recorded', () => {
    expect(whole.said.join('')).toContain('>>relay:bob');
    expect(whole.failed).toEqual([]);
  });

  it.each(names)('is heard the same or not recognised when %j has changed', (name) => {
    expect(lines.join('\n')).toContain(`"${name}"`);
    const { said, failed } = play(rename(lines, name));
    if (failed.length === 0) expect(said.join('')).toBe(whole.said.join(''));
    else expect(failed).toHaveLength(1);
  });
});

it('all that codex says under other names, in a thread that is ours by its folder, is not recognised', () => {
  const lines = rename(rename(recorded('codex/rollout.jsonl'), 'response_item'), 'event_msg');
  expect(playCodex(lines, '').failed).toEqual([
    'the rollout file is not as we know it: a record of an unknown type',
  ]);
});
