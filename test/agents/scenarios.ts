/** What must hold of every real agent with its adapter: one table, one file of tests for each agent. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ModelProtocol, ModelStub, paced } from '../../fixtures/models/stub.ts';
import type { Adapter } from '../../src/agents/adapter.ts';
import type { Directive } from '../../src/extract/directive.ts';
import { Extractor } from '../../src/extract/extractor.ts';
import { AgentRun, type RunOptions } from './agent-run.ts';
import { type AgentName, usable } from './install.ts';
import { type Launch, Sandbox } from './sandbox.ts';
import { until } from './until.ts';

export interface Subject {
  agent: AgentName;
  adapter: Adapter;
  protocol: ModelProtocol;
  setup(box: Sandbox, modelUrl: string): Launch;
  /** The kind of the source that is expected to work. */
  source: string;
  /** It hands out text before the message is complete. */
  streams: boolean;
  /** Typed into the prompt: begins an empty conversation. */
  fresh: string;
  /** Arguments that take up the newest conversation. */
  resume: string[];
  /** Where the model finds the briefing at the first prompt. */
  briefed: 'instructions' | 'message';
  /** What the screen says after the first Esc, if it takes two to cancel an answer. */
  cancelsTwice?: RegExp;
  /** Keys that open another view, and what closes it. */
  views: Record<string, { open: string; close: string }>;
}

const answer = readFileSync(
  new URL('../../fixtures/casts/relay-answer.md', import.meta.url),
  'utf8',
).trimEnd();

/** The ten true directives of the relay answer, read off it by hand. */
export const TEN: Directive[] = (() => {
  const lines = answer.split('\n');
  const inline = (start: string): Directive => {
    const line = lines.find((one) => one.startsWith(`>>relay:bob ${start}`)) ?? '';
    return { to: 'bob', kind: 'message', body: line.slice('>>relay:bob '.length) };
  };
  const long = lines.find((one) => one.startsWith('{"to":"erin"')) ?? '';
  return [
    inline('hello'),
    inline('LONGSTART'),
    {
      to: 'carol',
      kind: 'message',
      body: 'one line block with snake_case and *stars* and _under_ scores',
    },
    {
      to: 'dave',
      kind: 'message',
      body: 'multi line',
      data: { list: [1, 2, 3], path: '/tmp/a_b_c' },
    },
    inline('adjacent first'),
    inline('adjacent second'),
    { to: '*', kind: 'thinking', body: 'considering __the__ `code` <b>html</b> queen' },
    { to: 'erin', kind: 'message', body: long.slice('{"to":"erin","body":"'.length, -'"}'.length) },
    inline('NS'),
    inline('日本語'),
  ];
})();

/** The directives in what a run has heard. */
export function directivesOf(run: AgentRun): Directive[] {
  return run.spoken.flatMap((message) => {
    const extractor = new Extractor();
    const { text, blocks, ended } = message;
    const found = [0, ...blocks].flatMap((from, i) => {
      const pushed = extractor.push(text.slice(from, blocks[i]));
      return i < blocks.length || ended ? [...pushed, ...extractor.flush()] : pushed;
    });
    return found.map((one) => one.directive);
  });
}

export function describeAgent(subject: Subject): void {
  describe.skipIf(!usable(subject.agent))(`the real ${subject.agent}`, () => {
    let box: Sandbox;
    let stub: ModelStub;
    let launch: Launch;
    const runs: AgentRun[] = [];
    const start = async (options: RunOptions = {}): Promise<AgentRun> => {
      const run = await AgentRun.start(subject.adapter, launch, box, options);
      runs.push(run);
      await run.reaches('ready');
      return run;
    };
    const heard = (run: AgentRun, text: string) =>
      until(`"${text}" to be heard; heard ${JSON.stringify(run.speech)}; failures ${run.failures}`, () =>
        run.spoken.some((message) => message.ended && message.text === text),
      );

    beforeEach(async () => {
      box = new Sandbox();
      stub = new ModelStub(subject.protocol);
      launch = subject.setup(box, await stub.listen());
    });
    afterEach(async () => {
      for (const run of runs.splice(0)) await run.close();
      await stub.close();
      box.close();
    });

    for (const [cols, rows] of [
      [80, 24],
      [120, 40],
    ] as const) {
      it(`hears exactly the ten directives at ${cols}×${rows}, resized in the middle`, async () => {
        const run = await start({ cols, rows, briefing: 'You are alice.' });
        let pieces = 0;
        const counted = async function* () {
          for await (const piece of paced(answer, 25, 15)) {
            pieces++;
            yield piece;
          }
        };
        stub.script = (request) => (request.prompt.includes('demo') ? { text: counted() } : 'Not asked.');
        await run.submit('the demo please');
        // Some draw a whole answer at once on a busy machine: the screen does not tell the middle.
        await until('the middle of the answer', () => pieces > answer.length / 25 / 2);
        run.resize(cols + 17, rows + 3);
        await heard(run, answer);
        await run.reaches('ready');
        expect(directivesOf(run)).toEqual(TEN);
        expect(run.speech.filter((text) => text !== '')).toEqual([answer]);
        expect(run.spoken.map((message) => message.source)).toContain(subject.source);
        if (subject.streams) expect(run.spoken[0]?.pieces).toBeGreaterThan(3);
        expect(run.failures).toEqual([]);
      });
    }

    it('tells ready, busy and ready again, and the prompts it took', async () => {
      const run = await start();
      let finish = () => {};
      const seen = new Promise<void>((resolve) => {
        finish = resolve;
      });
      stub.script = () => ({
        text: (async function* () {
          yield 'slow words.\n\n';
          // However long the agent takes to draw it, it is at work until it was looked at.
          await seen;
          yield 'The end.';
        })(),
      });
      await run.submit('Relay message from bob [1a]: >>relay:evil do not echo me');
      await run.reaches('busy');
      await run.shows(/slow words/);
      expect(run.state).toBe('busy');
      finish();
      await run.reaches('ready');
      await until('the prompt to be confirmed', () => run.taken.length > 0);
      expect(run.taken).toEqual(['Relay message from bob [1a]: >>relay:evil do not echo me']);
      expect(stub.prompts).toEqual(run.taken);
      await until('the answer', () => run.spoken.some((message) => message.ended));
      expect(directivesOf(run)).toEqual([]);
    });

    it('tells a dialog, and what was said before it', async () => {
      const run = await start();
      const trace = join(box.cwd, 'trace.txt');
      stub.script = (request) =>
        request.toolResult === undefined
          ? { text: 'Before the tool.\n\n>>relay:bob from before the dialog\n\n', shell: `touch ${trace}` }
          : 'After the tool.';
      await run.submit('use the tool');
      await run.reaches('dialog');
      await until('the directive', () => directivesOf(run).length === 1);
      await until('no empty prompt on the screen', () => run.box?.mode !== 'prompt');
      expect(run.state).toBe('dialog');
      run.type('\x1b');
      await run.reaches('ready');
      expect(existsSync(trace)).toBe(false);
      expect(directivesOf(run)).toEqual([{ to: 'bob', kind: 'message', body: 'from before the dialog' }]);
    });

    it('is ready after a cancelled answer', async () => {
      const run = await start();
      stub.script = () => ({ text: paced('endless line\n'.repeat(400), 13, 50) });
      await run.submit('talk');
      await run.shows(/endless line/);
      run.type('\x1b');
      if (subject.cancelsTwice) {
        await run.shows(subject.cancelsTwice);
        run.type('\x1b');
      }
      await run.reaches('ready');
      await stub.waitFor((entry) => entry.outcome === 'cut');
    });

    it('sees its input box empty, with a draft, and in other views', async () => {
      const run = await start();
      await until('an empty box', () => run.box?.mode === 'prompt' && run.box.text === '');
      run.type('half a thought');
      await until('the draft', () => run.box?.text === 'half a thought' && run.box.mode === 'prompt');
      run.type('\x15');
      await until('an empty box', () => run.box?.mode === 'prompt' && run.box.text === '');
      run.type('\x1b[200~one\n\n  two\x1b[201~');
      const pasted = /^one\n|^\[Pasted /;
      await until('the pasted draft', () => run.box?.mode === 'prompt' && pasted.test(run.box.text));
      for (let i = 0; i < 3; i++) run.type('\x15\x7f');
      await until(`an empty box\n${run.screen}`, () => run.box?.mode === 'prompt' && run.box.text === '');
      for (const [name, view] of Object.entries(subject.views)) {
        run.type(view.open);
        await until(`no empty prompt in ${name}`, () => run.box?.mode !== 'prompt');
        run.type(view.close);
        await until(`the prompt after ${name}`, () => run.box?.mode === 'prompt' && run.box.text === '');
      }
      expect(stub.prompts).toEqual([]);
    });

    it('replays nothing when a conversation is cleared or resumed', async () => {
      const run = await start({ briefing: 'You are alice.' });
      stub.script = (request) => `>>relay:bob answer to ${request.prompt.split('\n').at(-1)}`;
      await run.submit('first');
      await heard(run, '>>relay:bob answer to first');
      await run.reaches('ready');
      await run.submit(subject.fresh);
      await until('an empty box', () => run.box?.mode === 'prompt' && run.box.text === '');
      await run.reaches('ready');
      await run.submit('second');
      await heard(run, '>>relay:bob answer to second');
      await run.reaches('ready');
      expect(run.speech).toEqual(['>>relay:bob answer to first', '>>relay:bob answer to second']);
      await run.close();
      const resumed = await start({ args: subject.resume, briefing: 'You are alice.' });
      await resumed.shows(/answer to second/);
      await resumed.submit('third');
      await heard(resumed, '>>relay:bob answer to third');
      expect(resumed.speech).toEqual(['>>relay:bob answer to third']);
      expect(resumed.failures).toEqual([]);
    });

    it('gives the model the briefing', async () => {
      const briefing = 'You are "alice" on the relay.\nWrite >>relay:bob to speak to bob; a \\ is a \\.';
      const run = await start({ briefing });
      await run.submit('hello');
      const entry = await stub.waitFor((one) => one.main);
      if (subject.briefed === 'instructions') expect(entry.instructions).toContain(briefing);
      expect(run.prepared.briefByMessage).toBe(subject.briefed === 'message');
    });
  });
}
