import { describe, expect, it } from 'vitest';
import { renderJson, renderJsonLine } from '../../../src/cli/json.ts';
import { renderFate, renderMessage, withoutSecrets } from '../../../src/cli/message-lines.ts';

const STEERS = '\x1b]0;title\x07\x1b[2J\x9b31m\u202e\r\nforged';
const OBEYED = /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/;
const NOW = new Date(2026, 10, 20, 12, 0, 0).getTime();

const message = {
  id: `i${STEERS}`,
  at: NOW,
  from: 'ann',
  to: 'bob',
  topic: `t${STEERS}`,
  kind: `k${STEERS}`,
  body: `b${STEERS}`,
  deliveries: [{ id: 'd', to: 'bob', state: 'dead', code: `C${STEERS}`, reason: `r${STEERS}` }],
};

describe('messages shown to a person', () => {
  it('steer no terminal, whatever another agent put into any part of them', () => {
    const text = renderMessage(message, NOW);
    expect(text).not.toMatch(OBEYED);
    // The head is one line, all else is indented: nobody forges a message.
    expect(text.split('\n').map((line) => line.slice(0, 4))).toEqual(['12:0', '    ', '    ', '']);
    const fate = {
      type: 'fate',
      id: 'i',
      from: 'ann',
      to: 'bob',
      fate: 'dead',
      code: `C${STEERS}`,
      at: NOW,
    } as const;
    expect(renderFate(fate, NOW)).not.toMatch(OBEYED);
    expect(renderFate(fate, NOW).split('\n')).toHaveLength(2);
  });

  it('as JSON the same, and the JSON is whole', () => {
    expect(renderJsonLine(message).trimEnd()).not.toMatch(OBEYED);
    expect(JSON.parse(renderJsonLine(message))).toEqual(message);
    expect(JSON.parse(renderJson(message, 2))).toEqual(message);
  });

  it('say the day unless it is today', () => {
    expect(renderMessage(message, NOW)).toMatch(/^12:00:00 /);
    expect(renderMessage(message, NOW + 86_400_000)).toMatch(/^2026-11-20 12:00:00 /);
  });

  it('lose what is likely a secret where a log is made of them, and nothing else', () => {
    const secret = { ...message, body: 'it is ghp_0123456789abcdefghijkl', topic: 'x' };
    expect(withoutSecrets(secret)).toEqual({ ...secret, body: 'it is ghp_[secret]' });
    const { body: _, ...forgotten } = secret;
    expect(withoutSecrets(forgotten)).toEqual(forgotten);
  });
});
