import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Reception, RunMessage } from '../../../src/run/conversation.ts';
import type { RoundReport } from '../../../src/run/report.ts';
import { renderMessageLine, renderSummary } from '../../../src/run/report-json.ts';
import { renderJunit } from '../../../src/run/report-junit.ts';
import { oneLine, renderFate, renderSaid } from '../../../src/run/report-line.ts';
import { renderDiagram } from '../../../src/run/report-mermaid.ts';
import { said } from './message.ts';

const hostile = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string(),
  fc.constantFrom(
    ']]>',
    '</failure>',
    '<!--',
    '&lt;',
    'end',
    'END',
    'a; b',
    '#59;',
    '\u2028\u2029\u0085',
    '\u001b]0;x\u0007',
    '\u001b[2J',
    '\ud800',
    '\r\n::error::x',
    '%%{init: {}}%%',
    '"\'`',
    '\u202e',
    '-->>',
    ':',
  ),
);

const reception: fc.Arbitrary<Reception> = fc.record({
  name: fc.stringMatching(/^[A-Za-z0-9_.-]{1,64}$/),
  fate: fc.constantFrom('waiting', 'held', 'delivered', 'written', 'dead'),
  code: hostile,
  text: hostile,
});

const message: fc.Arbitrary<RunMessage> = fc.record({
  id: hostile,
  at: fc.nat(),
  from: fc.stringMatching(/^[A-Za-z0-9_.-]{1,64}$/),
  to: fc.constantFrom('*', 'bob'),
  topic: hostile,
  kind: hostile,
  body: hostile,
  data: fc.jsonValue(),
  recipients: fc.array(reception, { maxLength: 3 }),
});

function round(messages: RunMessage[], text: string): RoundReport {
  return {
    pairing: text,
    round: 1,
    seed: 7,
    startedAt: 0,
    durationMs: 1234,
    outcome: { how: 'broken', message: text },
    exitCode: 1,
    agents: [{ name: 'bob', command: [text], starts: 1, end: { code: 1 }, failed: true }],
    messages,
    verdicts: [{ title: text, ok: false, detail: text }],
  };
}

describe('messages.jsonl', () => {
  it('is one line of JSON a message for every reader of lines, and loses nothing', () => {
    fc.assert(
      fc.property(message, (each) => {
        const line = renderMessageLine(each);
        expect(line.slice(0, -1)).not.toMatch(/[\n\r\u0085\u2028\u2029]/);
        expect(JSON.parse(line)).toEqual(JSON.parse(JSON.stringify(each)));
      }),
    );
  });
});

describe('summary.json', () => {
  it('counts what became of the messages', () => {
    const messages = [
      said('a', 'b', 'x'),
      said('a', 'b', 'y', { recipients: [{ name: 'b', fate: 'held' }] }),
      said('a', '*', 'z', {
        recipients: [
          { name: 'b', fate: 'delivered' },
          { name: 'c', fate: 'dead' },
        ],
      }),
    ];
    const summary = JSON.parse(renderSummary(round(messages, 'x'))) as Record<string, unknown>;
    expect(summary.messages).toEqual({ total: 3, delivered: 1, waiting: 1, dead: 1 });
  });
});

describe('junit.xml', () => {
  it('is well-formed whatever was said', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const xml = renderJunit([round([], text)]);
        const attribute = ' [a-z]+="(?:[^<>&"\'\\t\\n\\r]|&#\\d+;)*"';
        for (const line of xml.trimEnd().split('\n').slice(1)) {
          expect(line).toMatch(new RegExp(`^ *(?:</[a-z]+>|<[a-z]+(?:${attribute})*/?>)$`));
        }
        // No character that XML 1.0 cannot hold.
        expect(xml).not.toMatch(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u);
      }),
    );
  });

  it('has a case for the end, each agent and each expectation', () => {
    const xml = renderJunit([round([], 'it went wrong')]);
    expect(xml).toContain('tests="3" failures="3"');
    expect(xml).toContain('<failure message="ended with exit code 1"/>');
  });
});

describe('diagram.mmd', () => {
  const line =
    /^ {2}(?:participant p\d+ as|Note over p\d+:|p\d+--?(?:>>|x|\))p\d+:) (?:[\p{L}\p{N} .,?!]|#\d+;)+$/u;

  it('is lines that Mermaid reads as they are meant, whatever was said', () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 5 }), (messages) => {
        const [first, ...rest] = renderDiagram(['ada', 'end'], messages).trimEnd().split('\n');
        expect(first).toBe('sequenceDiagram');
        for (const each of rest) {
          expect(each).toMatch(line);
          expect(each).not.toMatch(/\bend\b/i);
        }
      }),
    );
  });

  it('shows who spoke to whom and how it ended', () => {
    const diagram = renderDiagram(
      ['ada', 'bob'],
      [
        said('ada', 'bob', 'one'),
        said('bob', 'ada', 'two', { recipients: [{ name: 'ada', fate: 'dead' }] }),
        said('bob', '*', 'three', { recipients: [] }),
      ],
    );
    expect(diagram.trimEnd().split('\n').slice(3)).toEqual([
      '  p0->>p1: one',
      '  p1-xp0: two',
      '  Note over p1: three',
    ]);
  });
});

describe('the live line', () => {
  it('is one line without control characters', () => {
    fc.assert(
      fc.property(message, (each) => {
        const lines = [renderSaid(each), ...each.recipients.map((one) => renderFate(1, each, one) ?? '')];
        for (const text of lines) expect(text).not.toMatch(/\p{C}|[\n\r\u2028\u2029]/u);
      }),
    );
  });

  it('is bounded', () => {
    expect([...oneLine('x'.repeat(10_000))]).toHaveLength(160);
  });
});
