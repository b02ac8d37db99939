import { describe, expect, it } from 'vitest';
import {
  error,
  failure,
  failureFrom,
  isFailure,
  isSuccess,
  success,
  withAgentHints,
} from '../../../src/afd/result.ts';
import { ERRORS, RelayError } from '../../../src/base/errors.ts';

const TOKEN = 'ah_0123456789abcdefghij';

describe('the envelope', () => {
  it('checklist 7: takes suggestion and retryable from the code table when they are not given', () => {
    const { error: parts } = error('QUEUE_FULL', 'bob has 1,000 waiting');
    expect(parts).toEqual({
      code: 'QUEUE_FULL',
      message: 'bob has 1,000 waiting',
      suggestion: ERRORS.QUEUE_FULL.suggestion,
      retryable: true,
    });
  });

  it('checklist 7: gives a code it does not know a suggestion too', () => {
    const result = failure({ code: 'ROOM_FULL', message: 'full', suggestion: '' });
    expect(result.error.suggestion).not.toBe('');
    expect(result.error.retryable).toBe(false);
    expect('data' in result).toBe(false);
  });

  it('checklist 10: turns a RelayError into its code, message and way out', () => {
    const thrown = new RelayError('NAME_IN_USE', 'bob is connected', {
      suggestion: 'take another',
      retryable: false,
      details: { name: 'bob' },
    });
    expect(failureFrom(thrown).error).toEqual({
      code: 'NAME_IN_USE',
      message: 'bob is connected',
      suggestion: 'take another',
      retryable: false,
      details: { name: 'bob' },
    });
  });

  it('checklist 27: takes tokens out of the words and details of a failure', () => {
    const result = failure({
      code: 'FORBIDDEN',
      message: `${TOKEN} is not yours`,
      suggestion: `drop ${TOKEN}`,
      details: { nested: [TOKEN] },
    });
    expect(JSON.stringify(result)).not.toContain(TOKEN);
    expect(result.error.details).toEqual({ nested: ['ah_…'] });
  });

  it('keeps a failure whole whose details cannot be written as JSON', () => {
    expect(error('INTERNAL', 'x', { details: { big: 1n } }).error.details).toEqual({ unprintable: true });
  });

  it('checklist 28: puts agent hints in both places, on success and failure', () => {
    const hints = { fallbackCommand: 'chat-poll', consumable: false };
    for (const result of [
      success(1, { metadata: { agentHints: hints } }),
      failure({ code: 'X', message: 'x' }, { metadata: { agentHints: hints } }),
      withAgentHints(success(1, { metadata: { traceId: 't' } }), hints),
    ]) {
      expect(result.metadata?.agentHints).toEqual(hints);
      expect(result._agentHints).toEqual(hints);
    }
  });

  it('tells success from failure as AFD does', () => {
    expect(isSuccess(success(0))).toBe(true);
    expect(isSuccess(success(undefined))).toBe(false);
    expect(isFailure(error('X', 'x'))).toBe(true);
    expect(isFailure(success(0))).toBe(false);
  });
});
