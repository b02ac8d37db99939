import { describe, expect, it } from 'vitest';
import { PROFILES } from '../../../src/agents/adapter.ts';
import { briefing } from '../../../src/agents/briefing.ts';
import { Extractor } from '../../../src/extract/extractor.ts';

const directives = (text: string) => {
  const extractor = new Extractor();
  return [...extractor.push(text), ...extractor.flush()].map((found) => found.directive);
};

describe('the briefing', () => {
  it.each(PROFILES)('for %s names the agent and stays short', (profile) => {
    const text = briefing({ name: 'alice', profile });
    expect(text).toContain('You are the agent "alice".');
    expect(text).toContain('agent-wrap agents');
    expect(text.length).toBeLessThan(2_500);
  });

  it('teaches a syntax that the extractor understands', () => {
    expect(directives(briefing({ name: 'alice', profile: 'claude' }))).toEqual([
      { to: 'bob', kind: 'message', body: 'The tests pass, please review src/a.ts.' },
      {
        to: 'bob',
        kind: 'message',
        body: 'First line.\nSecond line.',
        topic: 'review',
        data: { files: ['src/a.ts'] },
      },
    ]);
  });

  it('sends nothing where it may be seen on the screen that we read', () => {
    expect(directives(briefing({ name: 'alice', profile: 'generic' }))).toEqual([]);
  });

  it('names a namespace only if it is not the default one', () => {
    expect(briefing({ name: 'a', profile: 'codex', namespace: 'team' })).toContain('(namespace team)');
    expect(briefing({ name: 'a', profile: 'codex', namespace: 'default' })).not.toContain('namespace');
  });
});
