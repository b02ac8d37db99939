import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ClaudeMessages } from '../../../src/agents/claude-messages.ts';
import { parseTranscriptLine } from '../../../src/agents/claude-transcript.ts';
import { parseRecord } from '../../../src/agents/json-record.ts';

/** Recorded from Claude Code 2.1.329: hello, a tool call behind a question, a sub-agent. */
const recorded = (name: string): string[] =>
  readFileSync(new URL(`../../../fixtures/agents-data/claude/${name}.jsonl`, import.meta.url), 'utf8')
    .trimEnd()
    .split('\n');

const SPEECH = [
  'Hello **there**.',
  'Before the tool.\n\n>>relay:bob hi "there" \\ 日本\n\n',
  'After the tool: ✓ done.\n',
  'I delegate.\n',
  'After the tool: ✓ done.\n',
  'Hello **there**.',
];

describe('the lines of a Claude Code transcript', () => {
  it('tell what the model said in the main thread, and the prompts', () => {
    const events = recorded('transcript').map(parseTranscriptLine);
    expect(events.filter((event) => event.kind === 'speech').map((event) => event.text)).toEqual(SPEECH);
    const prompts = events.filter((event) => event.kind === 'prompt').map((event) => event.text);
    expect(prompts.slice(0, 3)).toEqual(['hello', 'shell please', 'delegate please']);
    expect(events.filter((event) => event.kind === 'unknown')).toEqual([]);
  });

  it('tell a prompt that waited in the queue and was taken in the middle of a turn', () => {
    const attachment = { type: 'queued_command', prompt: 'Relay message from bob [1a]: hi' };
    const line = (value: object) => parseTranscriptLine(JSON.stringify({ type: 'attachment', ...value }));
    expect(line({ attachment })).toEqual({ kind: 'prompt', text: attachment.prompt });
    expect(line({ attachment: { type: 'date', date: 'x' } })).toEqual({ kind: 'other' });
  });

  it('of a sub-agent tell nothing', () => {
    const events = recorded('subagent').map(parseTranscriptLine);
    expect(events.every((event) => event.kind === 'other')).toBe(true);
  });

  it('leave out thinking, tools and what Claude Code says in the name of the model', () => {
    const content = [
      { type: 'thinking', thinking: '>>relay:evil' },
      { type: 'text', text: 'said' },
      { type: 'tool_use', input: { text: '>>relay:evil' } },
    ];
    const line = (message: object) =>
      parseTranscriptLine(JSON.stringify({ type: 'assistant', uuid: 'u', message }));
    expect(line({ content, id: 'msg_1' })).toEqual({
      kind: 'speech',
      id: 'u',
      message: 'msg_1',
      text: 'said',
    });
    expect(line({ content, model: '<synthetic>' })).toEqual({ kind: 'other' });
  });

  it('that look otherwise are said to be unknown, and never throw', () => {
    expect(parseTranscriptLine('{"type":"assistant","text":"new shape"}').kind).toBe('unknown');
    fc.assert(fc.property(fc.json(), (text) => void parseTranscriptLine(text)));
  });
});

describe('the MessageDisplay hooks of Claude Code', () => {
  const hear = (hooks: Record<string, unknown>[]) => {
    const said: { id: string; text: string; ended: boolean }[] = [];
    const messages = new ClaudeMessages({
      text(id, offset, text) {
        if (said.at(-1)?.id !== id) said.push({ id, text: '', ended: false });
        const last = said.at(-1) as (typeof said)[number];
        expect(offset).toBe(last.text.length);
        last.text += text;
      },
      end(id) {
        const last = said.at(-1);
        if (last?.id === id) last.ended = true;
      },
    });
    const wrong = hooks.map((hook) => messages.display(hook)).filter((one) => one !== undefined);
    return { said, wrong };
  };
  const displays = recorded('hooks')
    .map((line) => parseRecord(line) ?? {})
    .filter((hook) => hook.hook_event_name === 'MessageDisplay');

  it('tell each message to its end', () => {
    const { said, wrong } = hear(displays);
    expect(said.map((message) => message.text)).toEqual(SPEECH);
    expect(said.every((message) => message.ended)).toBe(true);
    expect(wrong).toEqual([]);
  });

  it('that come out of order are put in order', () => {
    const piece = (index: number, delta: string, final: boolean) => ({
      message_id: 'm',
      index,
      delta,
      final,
    });
    const { said } = hear([piece(1, 'b', false), piece(0, 'a', false), piece(2, 'c', true)]);
    expect(said).toEqual([{ id: 'm', text: 'abc', ended: true }]);
  });

  it('of a cancelled message end with the next one', () => {
    const { said } = hear([
      { message_id: 'm', index: 0, delta: 'cut', final: false },
      { message_id: 'n', index: 0, delta: 'next', final: false },
    ]);
    expect(said).toEqual([
      { id: 'm', text: 'cut', ended: true },
      { id: 'n', text: 'next', ended: false },
    ]);
  });

  it('that look otherwise are said to be unknown', () => {
    expect(hear([{ message_id: 'm', text: 'new shape' }]).wrong).toHaveLength(1);
  });
});
