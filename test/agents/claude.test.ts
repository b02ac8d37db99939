/** Claude Code 2.1.329, for real. real-agents.md. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { anthropic } from '../../fixtures/models/anthropic.ts';
import { ModelStub, paced } from '../../fixtures/models/stub.ts';
import { claude } from '../../src/agents/claude.ts';
import { AgentRun, type RunOptions } from './agent-run.ts';
import { usable } from './install.ts';
import { Sandbox } from './sandbox.ts';
import { describeAgent, directivesOf } from './scenarios.ts';
import { setupClaude } from './setup-claude.ts';
import { until } from './until.ts';

describeAgent({
  agent: 'claude',
  adapter: claude,
  protocol: anthropic,
  setup: setupClaude,
  source: 'hook',
  streams: true,
  fresh: '/clear',
  resume: ['--continue'],
  briefed: 'instructions',
  views: {
    'shell mode': { open: '!', close: '\x7f' },
    'the slash menu': { open: '/', close: '\x7f' },
    'the search': { open: '\x12', close: '\x1b' },
    'the transcript': { open: '\x0f', close: '\x0f' },
  },
});

describe.skipIf(!usable('claude'))('the real claude, alone in this', () => {
  /** One run in a sandbox of its own. */
  async function withRun(
    options: RunOptions,
    test: (run: AgentRun, stub: ModelStub, box: Sandbox) => Promise<void>,
    before: (box: Sandbox) => RunOptions = () => ({}),
  ): Promise<void> {
    const box = new Sandbox();
    const stub = new ModelStub(anthropic);
    const launch = setupClaude(box, await stub.listen());
    const run = await AgentRun.start(claude, launch, box, { ...options, ...before(box) });
    try {
      await run.reaches('ready');
      await test(run, stub, box);
    } finally {
      await run.close();
      await stub.close();
      box.close();
    }
  }

  it('does not take a sub-agent for the agent', async () => {
    await withRun({}, async (run, stub) => {
      stub.script = (request) => {
        if (request.prompt.includes('SUBTASK')) return '>>relay:evil from the sub-agent';
        return request.toolResult === undefined
          ? { text: 'I delegate.\n', subagent: 'SUBTASK do it' }
          : `All done. The result: ${request.toolResult.includes('relay:evil')}`;
      };
      await run.submit('please delegate');
      await stub.waitFor((entry) => entry.prompt.includes('SUBTASK'));
      await until(`the end; heard ${run.speech}\n${run.screen}`, () =>
        run.spoken.some((message) => message.ended && message.text.startsWith('All done.')),
      );
      expect(run.speech.join('')).not.toContain('evil');
      expect(run.failures).toEqual([]);
    });
  });

  for (const speech of ['auto', 'transcript'] as const) {
    it(`hears each block of a message for itself, with a tool or thoughts between them, by ${speech}`, async () => {
      await withRun({ speech, args: ['--allowedTools=Bash'] }, async (run, stub) => {
        stub.script = ({ prompt, toolResult }) => {
          if (toolResult !== undefined) return '>>relay:bob five';
          const thinking = '>>relay:evil I think';
          return prompt.includes('tool')
            ? {
                thinking,
                text: 'I begin.\n>>relay:bob one\n',
                shell: 'true',
                after: ['On.\n>>relay:bob three\n'],
              }
            : { thinking, text: 'I think:\n```\n>>relay:evil fenced', after: ['>>relay:bob two\nDone.'] };
        };
        const heard = () => directivesOf(run).map(({ body }) => body);
        await run.submit('with a tool');
        await until(`all of it; heard ${run.speech}`, () => heard().includes('five'));
        await run.reaches('ready');
        await run.submit('with thoughts');
        await until(`the last; heard ${run.speech}`, () => heard().includes('two'));
        await until('its end', () => run.speech.some((text) => text.endsWith('Done.')));
        expect(heard()).toEqual(['one', 'three', 'five', 'two']);
        expect(run.failures).toEqual([]);
      });
    });
  }

  it('hears a directive that Claude Code glued to other words', async () => {
    await withRun({ args: ['--allowedTools=Bash'] }, async (run, stub) => {
      stub.script = () => ({ thinking: 'hm', text: 'words', after: ['>>relay:bob glued\nmore'] });
      await run.submit('at once');
      await until('it', () => directivesOf(run).length > 0);
      await run.reaches('ready');
      expect(directivesOf(run)).toEqual([{ to: 'bob', kind: 'message', body: 'glued' }]);
    });
  });

  it("leaves the person's own settings and hooks in effect", async () => {
    await withRun(
      {},
      async (run, _stub, box) => {
        await run.submit('hello');
        await until('their hook to run', () => existsSync(join(box.root, 'their-hook')));
        await until('the answer', () => run.speech.includes('Understood.'));
        expect(readFileSync(join(box.root, 'their-hook'), 'utf8')).toContain('UserPromptSubmit');
        expect(run.spoken[0]?.source).toBe('hook');
      },
      (box) => {
        const command = `cat >> ${join(box.root, 'their-hook')}`;
        const theirs = { hooks: { UserPromptSubmit: [{ hooks: [{ type: 'command', command }] }] } };
        const file = join(box.root, 'theirs.json');
        writeFileSync(file, JSON.stringify(theirs));
        return { args: ['--settings', file] };
      },
    );
  });

  for (const args of [[], ['--session-id', '01234567-89ab-4def-8123-456789abcdef']]) {
    it(`falls back to the transcript when hooks are disabled ${args.join(' ')}`, async () => {
      await withRun({ args: ['--settings', '{"disableAllHooks":true}', ...args] }, async (run, stub) => {
        stub.script = (request) => `>>relay:bob ${request.prompt}`;
        await run.submit('one');
        await until('the fallback', () => run.failures.length === 1);
        await run.reaches('ready');
        await run.submit('two');
        await until(`two; heard ${run.speech}`, () => run.speech.includes('>>relay:bob two'));
        expect(run.speech).toEqual(['>>relay:bob one', '>>relay:bob two']);
        expect(run.spoken.map((message) => message.source)).toEqual(['transcript', 'transcript']);
      });
    });
  }

  it('takes a prompt while it works, and shows an empty box again', async () => {
    await withRun({}, async (run, stub) => {
      stub.script = (request) =>
        request.prompt.includes('slow') ? { text: paced('slow line\n'.repeat(20), 10, 100) } : 'Yes.';
      await run.submit('slow');
      await run.shows(/slow line/);
      await run.submit('Relay message from bob [2b]: first\nsecond line');
      await until(`an empty box\n${run.screen}`, () => run.box?.mode === 'prompt' && run.box.text === '');
      expect(run.state).toBe('busy');
      await stub.waitFor((entry) => entry.main && entry.prompt.includes('[2b]'));
      await run.reaches('ready');
      expect(stub.prompts.filter((prompt) => prompt.includes('[2b]'))).toHaveLength(1);
      expect(run.taken).toContain('Relay message from bob [2b]: first\nsecond line');
    });
  });

  it('keeps the address of its hooks out of the arguments', async () => {
    await withRun({}, async (run) => {
      const cmdline = readFileSync(`/proc/${run.pid}/cmdline`, 'utf8');
      expect(cmdline).toContain('--settings');
      expect(cmdline).not.toContain('127.0.0.1');
    });
  });
});
