import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseRolloutLine } from '../../../src/agents/codex-rollout.ts';

/** Recorded from Codex 0.169.0: hello, a tool call behind a question, its end. */
const recorded = readFileSync(
  new URL('../../../fixtures/agents-data/codex/rollout.jsonl', import.meta.url),
  'utf8',
);
const lines = recorded.trimEnd().split('\n');

describe('the lines of a Codex rollout file', () => {
  const events = lines.map(parseRolloutLine);

  it('tell the thread, its instructions, and who said what', () => {
    expect(events[0]).toMatchObject({ kind: 'thread', cwd: '/home/tester/box/project', source: 'cli' });
    expect(events.filter((event) => event.kind === 'speech').map((event) => event.text)).toEqual([
      'Hello **there**.',
      'Before the tool.\n\n>>relay:bob hi "there" \\ 日本\n\n',
      'After the tool: ✓ done.\n',
    ]);
    expect(events.filter((event) => event.kind === 'prompt').map((event) => event.text)).toEqual([
      'hello',
      'shell please',
    ]);
    const instructions = events.find((event) => event.kind === 'instructions');
    expect(instructions?.texts).toContain('You are alice.');
    expect(events.filter((event) => event.kind === 'turn-end').map((event) => event.last)).toEqual([
      'Hello **there**.',
      'After the tool: ✓ done.\n',
    ]);
    expect(events.filter((event) => event.kind === 'unknown')).toEqual([]);
  });

  it('of a sub-agent have no source', () => {
    const meta = { id: 'x', cwd: '/', source: { subagent: 'review' }, thread_source: 'subagent' };
    const event = parseRolloutLine(JSON.stringify({ type: 'session_meta', payload: meta }));
    expect(event).toMatchObject({ kind: 'thread', source: undefined });
  });

  it('that look otherwise are said to be unknown', () => {
    const item = {
      type: 'response_item',
      payload: { type: 'message', role: 'assistant', text: 'new shape' },
    };
    expect(parseRolloutLine(JSON.stringify(item)).kind).toBe('unknown');
    expect(parseRolloutLine('not json').kind).toBe('unknown');
  });

  it('never throw, whatever they are', () => {
    fc.assert(fc.property(fc.json(), (text) => void parseRolloutLine(text)));
    fc.assert(
      fc.property(
        fc.constantFrom('session_meta', 'response_item', 'event_msg'),
        fc.jsonValue(),
        (type, payload) => {
          parseRolloutLine(JSON.stringify({ type, payload }));
        },
      ),
    );
  });
});
