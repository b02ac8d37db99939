/**
 * Real agents under the real wrapper, on a real relay: what one's model says reaches the other's model
 * whole and once, and no draft and no dialog is harmed. Issue 3. `COUNT=30` for the full run.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { paced } from '../../fixtures/models/stub.ts';
import { usable } from './install.ts';
import { SUBJECTS, type Subject, Table, type WrappedName } from './seat.ts';
import { until } from './until.ts';

const table = new Table();

/** What each of them asks before it runs a tool. */
const DIALOG = /proceed|Would you like to run|Permission required|Allow execution/i;

const COUNT = Number(process.env.COUNT ?? 3);
/** What takes an agent of its own each time is repeated less often. */
const BUSY = Math.min(COUNT, 10);
const FEW = Array.from({ length: Math.min(COUNT, 5) }, (_, i) => [i + 1]);

const BODIES: Record<string, (i: number) => string> = {
  'one line': (i) => `single ${i}: please look at the build, it went red after the last merge (src/a.ts:12)`,
  // No tab: Claude Code makes four spaces of one in a paste.
  'many lines': (i) => `multi ${i}\n\n  indented line\n    more\n日本語テスト 🎉\nlast line ${i}`,
  '3 KB in 62 lines': (i) =>
    Array.from({ length: 62 }, (_, n) => `big ${i} line ${n} ${'x'.repeat(36)}`).join('\n'),
  'a line of 2 KB': (i) => `long ${i} ${'word '.repeat(400)}end${i}`,
  'a body that starts with /': (i) => `/clear ${i}.`,
  'a body that starts with !': (i) => `!touch evil-${i}.`,
  'a body that ends with @name': (i) => `ask ${i}. @carol`,
};

describe.skipIf(!usable('claude', 'codex'))('two real agents of different kinds', () => {
  it('talk to each other: each message arrives at the other model whole and once', async () => {
    const ada = await table.seat('claude', 'ada');
    const bob = await table.seat('codex', 'bob');
    ada.stub.script = ({ prompt }) => {
      if (prompt.includes('please begin'))
        return { text: paced('Of course.\n\n>>relay:bob ping one from the model\n', 12, 10) };
      if (prompt.includes('pong one'))
        return 'Thanks.\n\n[[RELAY]]\n{"to":"bob","body":"ping two\\nwith *stars* and `code`","data":{"n":[1,2]}}\n[[/RELAY]]\n';
      return 'Nothing to say.';
    };
    bob.stub.script = ({ prompt }) => {
      if (prompt.includes('ping one'))
        return 'Yes:\n\n>>relay:ada pong one\n\n```\n>>relay:evil fenced\n```\n';
      if (prompt.includes('ping two')) return '>>relay:ada pong two';
      return 'Nothing to say.';
    };
    await table.send('ada', 'please begin');
    await bob.arrived('ping one from the model');
    await ada.arrived('pong one');
    await bob.arrived('ping two\nwith *stars* and `code`\ndata: {"n":[1,2]}');
    await ada.arrived('pong two');
    for (const text of ['please begin', 'pong one', 'pong two']) expect(ada.arrivals(text)).toBe(1);
    for (const text of ['ping one', 'ping two']) expect(bob.arrivals(text)).toBe(1);
    expect(bob.stub.prompts[0]).toMatch(/Relay message from ada \[[0-9a-f]{12}\]: ping one from the model/);
    expect(bob.agent.log + ada.agent.log).not.toContain('"to":"evil"');
  });

  it('go on when the host of the daemon is killed in the middle', async () => {
    const host = await table.seat('claude', 'host');
    const ada = await table.seat('claude', 'ada');
    const bob = await table.seat('codex', 'bob');
    ada.stub.script = ({ prompt }) => (prompt.includes('begin') ? '>>relay:bob after the kill' : 'Fine.');
    process.kill(host.agent.pid, 'SIGKILL');
    await until('another to take over', async () =>
      (await table.cli('agents', '--json').catch(() => '')).includes('ada'),
    );
    await table.send('ada', 'begin');
    await bob.arrived('after the kill');
    expect(bob.arrivals('after the kill')).toBe(1);
  });
});

/** No two words are the same: Gemini CLI breaks off what repeats itself, and asks. */
const STORY = Array.from({ length: 40 }, (_, i) => `slow words ${i * i * 7919}. `).join('');

for (const [name, subject] of Object.entries(SUBJECTS) as [WrappedName, Subject][]) {
  describe.skipIf(!usable(name))(`speaking to the real ${name}`, () => {
    it.each(Object.entries(BODIES))(
      `idle: %s arrives whole and once, ${COUNT} times`,
      async (_kind, body) => {
        const bob = await table.seat(name, 'bob');
        for (let i = 0; i < COUNT; i++) {
          await table.send('bob', body(i));
          await bob.arrived(body(i));
        }
        for (let i = 0; i < COUNT; i++) expect(bob.arrivals(body(i))).toBe(1);
        expect(bob.stub.prompts).toHaveLength(COUNT);
        expect(existsSync(join(bob.box.cwd, 'evil-0'))).toBe(false);
      },
    );

    it(`busy: ${BUSY} that come during an answer arrive after it or in its queue, and cut nothing`, async () => {
      const bob = await table.seat(name, 'bob');
      bob.stub.script = ({ prompt }) =>
        prompt.includes('a long story') ? { text: paced(STORY, 12, 100) } : 'Fine.';
      await table.send('bob', 'tell me a long story');
      await bob.arrived('tell me a long story');
      await bob.agent.shows(/slow words/);
      for (let i = 0; i < BUSY; i++) await table.send('bob', `while busy ${i}.`);
      for (let i = 0; i < BUSY; i++) await bob.arrived(`while busy ${i}.`);
      for (let i = 0; i < BUSY; i++) expect(bob.arrivals(`while busy ${i}.`)).toBe(1);
      expect(bob.stub.journal.filter(({ outcome }) => outcome === 'cut')).toEqual([]);
    });

    it.each(FEW)('a draft is neither submitted nor merged nor lost, %i', async () => {
      const bob = await table.seat(name, 'bob', { wrap: ['--inject', 'keys'] });
      await table.send('bob', 'first, so that it is warm');
      await bob.arrived('so that it is warm');
      bob.agent.type('half a thought');
      await bob.agent.shows(/half a thought/);
      await table.send('bob', 'into the draft?');
      await bob.agent.logs('"reason":"draft"');
      expect(bob.agent.screen).toContain('half a thought');
      bob.agent.type(subject.clear);
      await bob.arrived('into the draft?');
      expect(bob.stub.prompts.join('\n')).not.toContain('half a thought');
      expect(bob.arrivals('into the draft?')).toBe(1);
    });

    it.each(FEW)('a dialog is not answered, %i', async () => {
      const bob = await table.seat(name, 'bob', { wrap: ['--inject', 'keys'] });
      const trace = join(bob.box.cwd, 'trace.txt');
      bob.stub.script = ({ prompt, toolResult }) =>
        prompt.includes('use the tool') && toolResult === undefined
          ? { text: 'I will.', shell: `touch ${trace}` }
          : 'Fine.';
      await table.send('bob', 'use the tool');
      await bob.arrived('use the tool');
      await until('the dialog', () => DIALOG.test(bob.agent.screen));
      await table.send('bob', 'into the dialog?');
      await bob.agent.logs('"reason":"dialog"');
      expect(bob.agent.screen).toMatch(DIALOG);
      bob.agent.type('\x1b');
      await bob.arrived('into the dialog?');
      expect(existsSync(trace)).toBe(false);
      expect(bob.arrivals('into the dialog?')).toBe(1);
    });
  });
}
