import { describe, expect, it } from 'vitest';
import { RelayError } from '../../../src/base/errors.ts';
import { silentLog } from '../../../src/base/log.ts';
import type { Attachment } from '../../../src/client/attachment.ts';
import { Introduction } from '../../../src/wrap/introduction.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';

const ANSWER = {
  success: true,
  data: { credentials: { token: 't', sessionId: 's1', headers: { 'agent-name': 'codex-3' } } },
};
const FALLBACK = /^codex-[0-9a-f]{4}$/;

/** A relay whose answer to relay-connect the test decides. */
function relay(answer: unknown) {
  const calls: [string, unknown][] = [];
  const attachment = {
    call: async (command: string, input: unknown) => {
      calls.push([command, input]);
      return command === 'relay-connect' ? answer : { success: true, data: {} };
    },
  } as unknown as Attachment;
  return { attachment, calls };
}

function introduce(attach: () => Promise<Attachment>) {
  const clock = new FakeClock();
  const options = { attach, agentPrefix: 'codex', scopedTokenHash: 'hash', clock, log: silentLog };
  return { clock, introduction: new Introduction(options) };
}

describe('P10 the name before the agent starts', () => {
  it('is the one the relay gives, and its answer is kept for the client', async () => {
    const { attachment, calls } = relay(ANSWER);
    const { introduction, clock } = introduce(async () => attachment);
    expect(await introduction.name()).toBe('codex-3');
    expect(introduction.answer).toBe(ANSWER);
    expect(await introduction.attachment).toBe(attachment);
    expect(calls).toEqual([['relay-connect', { agentPrefix: 'codex', scopedTokenHash: 'hash' }]]);
    expect(clock.timers).toBe(0);
  });

  it('is one of our own after 100 ms, and a session that comes later is given back', async () => {
    let answer: (value: unknown) => void = () => {};
    const { attachment, calls } = relay(new Promise((resolve) => (answer = resolve)));
    const { introduction, clock } = introduce(async () => attachment);
    const name = introduction.name();
    await clock.advanceAsync(100);
    expect(await name).toMatch(FALLBACK);
    answer(ANSWER);
    await clock.advanceAsync(0);
    expect(introduction.answer).toBeUndefined();
    expect(calls.at(-1)).toEqual(['relay-disconnect', { sessionId: 's1' }]);
  });

  it('a relay found too late is not asked', async () => {
    let found: (attachment: Attachment) => void = () => {};
    const { attachment, calls } = relay(ANSWER);
    const { introduction, clock } = introduce(() => new Promise((resolve) => (found = resolve)));
    const name = introduction.name();
    await clock.advanceAsync(100);
    expect(await name).toMatch(FALLBACK);
    found(attachment);
    await clock.advanceAsync(0);
    expect(calls).toEqual([]);
  });

  it.each([
    ['the relay refuses', async () => relay({ success: false, error: { code: 'NAME_IN_USE' } }).attachment],
    ['the answer is no handoff', async () => relay(null).attachment],
    ['there is no relay', () => Promise.reject(new RelayError('DIRECTORY_UNSAFE', 'nowhere'))],
  ])('%s: one of our own, at once', async (_, attach) => {
    const { introduction, clock } = introduce(attach);
    expect(await introduction.name()).toMatch(FALLBACK);
    expect(introduction.answer).toBeUndefined();
    expect(clock.timers).toBe(0);
  });
});
