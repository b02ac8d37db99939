import { describe, expect, it } from 'vitest';
import { DraftTracker } from '../../../src/terminal/draft-tracker.ts';

const keysAfter = (...chunks: string[]): number => {
  const tracker = new DraftTracker();
  for (const chunk of chunks) tracker.push(Buffer.from(chunk));
  return tracker.keys;
};

describe('telling a draft from keys', () => {
  it.each<[string, string[], boolean]>([
    ['nothing typed', [], false],
    ['half a word', ['hel'], true],
    ['a submitted line', ['hello', '\r'], false],
    ['a line and the start of another', ['hello\rwor'], true],
    ['a line thrown away', ['hello', '\x15'], false],
    ['replies of the terminal', ['\x1b[?62;c', '\x1b[12;4R', '\x1b[I', '\x1b]11;rgb:0/0/0\x07'], false],
    ['a paste of two lines', ['\x1b[200~a\rb\n\x1b[201~'], true],
    ['a paste that was submitted', ['\x1b[200~a\nb\x1b[201~', '\r'], false],
    ['a key in two pieces', ['\x1b', '[A'], true],
  ])('%s', (_what, chunks, draft) => {
    expect(keysAfter(...chunks) > 0).toBe(draft);
  });

  it.each<[string, string[], boolean]>([
    ['Ctrl-Z', ['\x1a'], false],
    ['half a word, then Ctrl-Z', ['hel', '\x1a'], true],
    ['half a word and Ctrl-Z at once', ['hel\x1a'], true],
    ['half a word, submitted before it is continued', ['hel\r', '\x1a'], false],
  ])('when the agent was suspended: %s', (_what, chunks, draft) => {
    const tracker = new DraftTracker();
    for (const chunk of chunks) tracker.push(Buffer.from(chunk));
    tracker.suspended();
    tracker.suspended();
    expect(tracker.keys > 0).toBe(draft);
  });
});
