/** opencode 1.18.33, for real. real-agents.md. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openaiChat } from '../../fixtures/models/openai-chat.ts';
import { ModelStub, paced } from '../../fixtures/models/stub.ts';
import { opencode } from '../../src/agents/opencode.ts';
import { AgentRun } from './agent-run.ts';
import { usable } from './install.ts';
import { Sandbox } from './sandbox.ts';
import { describeAgent } from './scenarios.ts';
import { setupOpencode } from './setup-opencode.ts';
import { until } from './until.ts';

describeAgent({
  agent: 'opencode',
  adapter: opencode,
  protocol: openaiChat,
  setup: setupOpencode,
  source: 'api',
  streams: true,
  fresh: '/new',
  resume: ['--continue'],
  briefed: 'instructions',
  cancelsTwice: /again to interrupt/,
  views: {
    'shell mode': { open: '!', close: '\x7f' },
    'the slash menu': { open: '/', close: '\x7f' },
    'the file list': { open: '@', close: '\x7f' },
    'the palette': { open: '\x10', close: '\x1b' },
    'the list of sessions': { open: '\x18l', close: '\x1b' },
  },
});

/** Milliseconds for a start or a first answer on a machine that does much else; alone it takes 4–10 s. */
const STARTED_MS = 90_000;

describe.skipIf(!usable('opencode'))('the real opencode, alone in this', () => {
  let box: Sandbox;
  let stub: ModelStub;
  let run: AgentRun;

  beforeEach(async () => {
    box = new Sandbox();
    stub = new ModelStub(openaiChat);
    run = await AgentRun.start(opencode, setupOpencode(box, await stub.listen()), box);
    await run.reaches('ready', STARTED_MS);
    await run.submit('hello');
    await until('the first answer', () => run.spoken.some((message) => message.ended), STARTED_MS);
    await run.reaches('ready');
  }, 2 * STARTED_MS);
  afterEach(async () => {
    await run.close();
    await stub.close();
    box.close();
  });

  /** How often each text stands in the conversation as the model sees it at last. */
  const counts = (texts: string[]) => {
    const messages = stub.journal.findLast((entry) => entry.main)?.body.messages as {
      role: string;
      content: unknown;
    }[];
    const said = messages.filter(({ role }) => role === 'user').map(({ content }) => JSON.stringify(content));
    return texts.map((text) => said.filter((one) => one.includes(JSON.stringify(text).slice(1, -1))).length);
  };
  const messages = (kind: string) =>
    Array.from(
      { length: 10 },
      (_, i) =>
        `Relay message from bob [${kind}-${i}]:\n!first line of ${i}\n  日本 ${'x '.repeat(200 * (i % 3))}end.`,
    );

  it('takes ten messages by its channel, whole and once each, the draft untouched', async () => {
    run.type('half a thought');
    await until('the draft', () => run.box?.text === 'half a thought');
    const sent = messages('idle');
    for (const text of sent) {
      await run.prepared.native?.deliver(text, 'id');
      await run.reaches('ready');
    }
    await until('the last one', () => stub.prompts.includes(sent[9] ?? ''));
    expect(counts(sent)).toEqual(sent.map(() => 1));
    for (const text of sent) expect(stub.prompts.filter((prompt) => prompt === text)).toHaveLength(1);
    expect(run.box).toMatchObject({ text: 'half a thought', mode: 'prompt' });
    expect(run.taken).toEqual(['hello', ...sent]);
  });

  it('takes ten messages while it works, the draft untouched', async () => {
    stub.script = (request) =>
      request.prompt === 'go on' ? { text: paced('slow words. '.repeat(60), 12, 100) } : 'Noted.';
    await run.submit('go on');
    await run.reaches('busy');
    run.type('half a thought');
    await until('the draft', () => run.box?.text === 'half a thought');
    const sent = messages('busy');
    for (const text of sent) await run.prepared.native?.deliver(text, 'id');
    expect(run.state).toBe('busy');
    await run.reaches('ready');
    await until('the last one', () => stub.prompts.some((prompt) => prompt.includes('[busy-9]')));
    await run.reaches('ready');
    expect(counts(sent)).toEqual(sent.map(() => 1));
    expect(run.box).toMatchObject({ text: 'half a thought', mode: 'prompt' });
  });

  it('takes a message while it asks, and answers nothing', async () => {
    const trace = join(box.cwd, 'trace.txt');
    stub.script = (request) =>
      request.prompt === 'use the tool' && request.toolResult === undefined
        ? { text: 'Before.', shell: `touch ${trace}` }
        : 'After.';
    await run.submit('use the tool');
    await run.reaches('dialog');
    await run.prepared.native?.deliver('Relay message from bob [q]: hi.', 'id');
    expect(run.state).toBe('dialog');
    expect(existsSync(trace)).toBe(false);
    await run.shows(/Permission required/);
  });

  it('lets nobody in without the password of this run', async () => {
    const { args, env } = run.prepared;
    const port = args[args.indexOf('--port') + 1];
    for (const path of ['/event', '/session']) {
      expect((await fetch(`http://127.0.0.1:${port}${path}`)).status).toBe(401);
    }
    expect(args.join(' ')).not.toContain(env.OPENCODE_SERVER_PASSWORD);
  });
});
