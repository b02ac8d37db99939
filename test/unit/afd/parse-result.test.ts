import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { HandoffResultSchema } from '../../../src/afd/handoff.ts';
import { parseResult, unwrap } from '../../../src/afd/parse-result.ts';
import { error, success } from '../../../src/afd/result.ts';

const handoff = { protocol: 'toy', endpoint: 'unix:///tmp/toy.sock' };

describe('checklist 12: the answer of somebody else', () => {
  it('is taken when it is an envelope with the promised data', () => {
    const sent = success(handoff, { reasoning: 'r', metadata: { traceId: 't', agentHints: { a: 1 } } });
    expect(parseResult(HandoffResultSchema, JSON.parse(JSON.stringify({ ...sent, extra: 1 })))).toEqual(sent);
  });

  it('gives the hints of a server that knows only the top level', () => {
    const parsed = parseResult(z.unknown(), { success: true, data: 1, _agentHints: { a: 1 } });
    expect(parsed.metadata?.agentHints).toEqual({ a: 1 });
  });

  it.each([
    ['a bare HandoffResult', handoff],
    ['text', 'connected'],
    ['nothing', undefined],
    ['a success without data', { success: true }],
    ['a failure without error', { success: false }],
    ['other data', { success: true, data: { ...handoff, endpoint: '/tmp/x' } }],
  ])('is refused with BAD_RESULT when it is %s', (_what, value) => {
    expect(() => parseResult(HandoffResultSchema, value)).toThrow(
      expect.objectContaining({ code: 'BAD_RESULT' }),
    );
  });

  it('is refused without a word of what it said', () => {
    const value = { success: true, data: { protocol: 'secret-protocol', endpoint: 'secret-endpoint' } };
    expect(() => parseResult(HandoffResultSchema, value)).toThrow(/at endpoint/);
    expect(() => parseResult(HandoffResultSchema, value)).not.toThrow(/secret/);
  });

  it('is completed where a failure says too little; unknown codes may be tried again', () => {
    const parsed = parseResult(z.unknown(), { success: false, error: { code: 'BUSY_NOW', message: 'm' } });
    expect(parsed.error).toMatchObject({ code: 'BUSY_NOW', retryable: true });
    expect(parsed.error?.suggestion).not.toBe('');
    const known = parseResult(z.unknown(), {
      success: false,
      error: { code: 'SESSION_CLOSED', message: 'm' },
    });
    expect(known.error?.retryable).toBe(false);
  });

  it('is unwrapped to its data, or throws the failure', () => {
    expect(unwrap(success(7))).toBe(7);
    expect(() => unwrap(error('SESSION_CLOSED', 'gone'))).toThrow(
      expect.objectContaining({ code: 'SESSION_CLOSED', message: 'gone', retryable: false }),
    );
    expect(() => unwrap(error('ROOM_FULL', 'full', { retryable: true }))).toThrow(
      expect.objectContaining({
        code: 'COMMAND_EXECUTION_ERROR',
        message: 'ROOM_FULL: full',
        retryable: true,
      }),
    );
  });
});
