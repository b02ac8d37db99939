import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { guard } from '../../../src/run/guard.ts';

describe('the guard of a run', () => {
  it.each([
    '/tmp',
    '/',
    'agent-wrap-run-abcdef',
    '/tmp/agent-wrap-run-abcdef/..',
    '/tmp/agent-wrap-run-abc/x',
  ])('removes nothing but the directory of a run: not %s', async (directory) => {
    await expect(guard(directory, Readable.from([]), systemClock)).rejects.toThrow(
      /not the directory of a run/,
    );
  });
});
