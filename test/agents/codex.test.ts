import { describe, expect, it } from 'vitest';
import { openaiResponses } from '../../fixtures/models/openai-responses.ts';
import { ModelStub } from '../../fixtures/models/stub.ts';
import { codex } from '../../src/agents/codex.ts';
import { AgentRun, type RunOptions } from './agent-run.ts';
import { usable } from './install.ts';
import { Sandbox } from './sandbox.ts';
import { describeAgent } from './scenarios.ts';
import { setupCodex } from './setup-codex.ts';
import { until } from './until.ts';

describeAgent({
  agent: 'codex',
  adapter: codex,
  protocol: openaiResponses,
  setup: setupCodex,
  source: 'transcript',
  streams: false,
  fresh: '/new',
  resume: ['resume', '--last'],
  briefed: 'instructions',
  views: {
    'shell mode': { open: '!', close: '\x7f' },
    'the slash menu': { open: '/', close: '\x7f' },
    'the search': { open: '\x12', close: '\x1b' },
  },
});

describe.skipIf(!usable('codex'))('the real codex, alone in this', () => {
  /** Runs `test` with a way to start Codex as often as it wants, all in the same folder. */
  async function withRuns(
    test: (
      start: (options?: RunOptions) => Promise<AgentRun>,
      stub: ModelStub,
      box: Sandbox,
    ) => Promise<void>,
  ): Promise<void> {
    const box = new Sandbox();
    const stub = new ModelStub(openaiResponses, (request) => `>>relay:bob ${request.prompt}`);
    const launch = setupCodex(box, await stub.listen());
    const runs: AgentRun[] = [];
    const start = async (options: RunOptions = {}) => {
      const run = await AgentRun.start(codex, launch, box, options);
      runs.push(run);
      await run.reaches('ready');
      return run;
    };
    try {
      await test(start, stub, box);
    } finally {
      for (const run of runs) await run.close();
      await stub.close();
      box.close();
    }
  }
  const hears = (run: AgentRun, text: string) =>
    until(`${text}; heard ${run.speech}; ${run.failures}\n${run.screen}`, () => run.speech.includes(text));

  it('does not take another Codex in the same folder for its own', async () => {
    await withRuns(async (start) => {
      const alice = await start({ briefing: 'You are alice.' });
      const carol = await start({ briefing: 'You are carol.' });
      await alice.submit('from alice');
      await carol.submit('from carol');
      await hears(alice, '>>relay:bob from alice');
      await hears(carol, '>>relay:bob from carol');
      expect(alice.speech).toEqual(['>>relay:bob from alice']);
      expect(carol.speech).toEqual(['>>relay:bob from carol']);
    });
  });

  it('hears a thread that the person takes up again inside, and a fork', async () => {
    await withRuns(async (start) => {
      const before = await start();
      await before.submit('long ago');
      await hears(before, '>>relay:bob long ago');
      await before.reaches('ready');
      await before.close();
      const run = await start({ briefing: 'You are alice.' });
      await run.submit('/resume');
      await run.shows(/long ago/);
      run.type('\r');
      await run.shows(/>> relay:bob long ago|> > relay:bob long ago/);
      await run.reaches('ready');
      await run.submit('taken up');
      await hears(run, '>>relay:bob taken up');
      await run.reaches('ready');
      await run.submit('/fork');
      await run.shows(/Fork created/);
      await run.submit('forked');
      await hears(run, '>>relay:bob forked');
      expect(run.speech).toEqual(['>>relay:bob taken up', '>>relay:bob forked']);
      expect(run.failures).toEqual([]);
    });
  });

  it('takes a prompt by its queue, and leaves the draft alone', async () => {
    await withRuns(async (start, stub) => {
      const run = await start();
      await expect(run.prepared.native?.deliver('too early', '1')).rejects.toThrow('no thread yet');
      await run.submit('hello');
      await hears(run, '>>relay:bob hello');
      await run.reaches('ready');
      run.type('my draft');
      await until('the draft', () => run.box?.text === 'my draft');
      const text = '--Relay message from bob [3c]:\n  "two" lines \\ `x` 日本';
      await run.prepared.native?.deliver(text, '3c');
      await stub.waitFor((entry) => entry.main && entry.prompt === text);
      await until('the confirmation', () => run.taken.includes(text));
      expect(run.box).toEqual({ text: 'my draft', mode: 'prompt' });
    });
  });

  it("leaves the person's own instructions in effect", async () => {
    await withRuns(async (start, stub) => {
      const run = await start({
        briefing: 'You are alice.',
        args: ['-c', 'developer_instructions="Be brief."'],
      });
      await run.submit('hello');
      await hears(run, '>>relay:bob hello');
      const entry = await stub.waitFor((one) => one.main);
      expect(entry.instructions).toContain('Be brief.');
      expect(run.prepared.briefByMessage).toBe(true);
    });
  });
});
