/**
 * Messages handed to the real Claude Code by its hook instead of its keyboard: whole and once, whatever
 * stands in its box or on its screen. real-agents.md §5. `COUNT=30` for the full run.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { paced } from '../../fixtures/models/stub.ts';
import { BODIES } from './bodies.ts';
import { usable } from './install.ts';
import { type Seat, Table } from './seat.ts';

const table = new Table();
const COUNT = Number(process.env.COUNT ?? 3);
/** What takes an agent of its own each time is repeated less often. */
const BUSY = Math.min(COUNT, 10);
const FEW = Array.from({ length: Math.min(COUNT, 5) }, (_, i) => [i + 1]);

const NATIVE = { wrap: ['--inject', 'native'] };

/** All that was for it is acknowledged. */
const ended = ({ agent }: Seat) =>
  expect
    .poll(
      async () => {
        const { agents } = JSON.parse(await table.cli('agents', '--json'));
        return agents.find((one: { name: string }) => one.name === agent.name)?.inflight;
      },
      { timeout: 60_000 },
    )
    .toBe(0);

/** One whose person has switched hooks off. */
const withoutHooks = (wrap: string[]): Promise<Seat> =>
  table.seat('claude', 'bob', {
    wrap,
    launch: (launch) => ({ ...launch, args: [...launch.args, '--settings', '{"disableAllHooks":true}'] }),
  });

describe.skipIf(!usable('claude'))('handing messages to the real claude by its hook', () => {
  it.each(Object.entries(BODIES))(`idle: %s arrives whole and once, ${COUNT} times`, async (_kind, body) => {
    const bob = await table.seat('claude', 'bob', NATIVE);
    for (let i = 0; i < COUNT; i++) {
      await table.send('bob', body(i));
      await bob.arrived(body(i));
    }
    await ended(bob);
    for (let i = 0; i < COUNT; i++) expect(bob.arrivals(body(i))).toBe(1);
    expect(bob.stub.prompts).toHaveLength(COUNT);
    expect(existsSync(join(bob.box.cwd, 'evil-0'))).toBe(false);
    expect(bob.agent.log).not.toContain('inject.paste');
  });

  it(`busy: ${BUSY} that come during an answer arrive after it, and cut nothing`, async () => {
    const bob = await table.seat('claude', 'bob', NATIVE);
    bob.stub.script = ({ prompt }) =>
      prompt.includes('a long story') ? { text: paced('slow words. '.repeat(30), 12, 100) } : 'Fine.';
    await table.send('bob', 'tell me a long story');
    await bob.arrived('tell me a long story');
    await bob.agent.shows(/slow words/);
    for (let i = 0; i < BUSY; i++) await table.send('bob', `while busy ${i}.`);
    for (let i = 0; i < BUSY; i++) await bob.arrived(`while busy ${i}.`);
    await ended(bob);
    for (let i = 0; i < BUSY; i++) expect(bob.arrivals(`while busy ${i}.`)).toBe(1);
    expect(bob.stub.journal.filter(({ outcome }) => outcome === 'cut')).toEqual([]);
  });

  it.each(FEW)('a draft does not keep a message from it, and stays as it is, %i', async () => {
    const bob = await table.seat('claude', 'bob');
    await table.send('bob', 'first, so that it is warm');
    await bob.arrived('so that it is warm');
    bob.agent.type('half a thought');
    await bob.agent.shows(/half a thought/);
    await table.send('bob', 'past the draft');
    await bob.arrived('past the draft');
    await ended(bob);
    expect(bob.agent.screen).toContain('half a thought');
    expect(bob.stub.prompts.join('\n')).not.toContain('half a thought');
    bob.agent.type(' is whole\r');
    await bob.arrived('half a thought is whole');
    expect(bob.arrivals('past the draft')).toBe(1);
  });

  it.each(FEW)('a dialog is not answered, and the message waits behind it, %i', async () => {
    const bob = await table.seat('claude', 'bob');
    const trace = join(bob.box.cwd, 'trace.txt');
    bob.stub.script = ({ prompt, toolResult }) =>
      prompt.includes('use the tool') && toolResult === undefined
        ? { text: 'I will.', shell: `touch ${trace}` }
        : 'Fine.';
    await table.send('bob', 'use the tool');
    await bob.arrived('use the tool');
    await bob.agent.shows(/Do you want to proceed/);
    await table.send('bob', 'behind the dialog');
    await bob.agent.logs('inject.hand-over');
    await bob.agent.logs('"reason":"dialog"');
    // Claude Code shows what it queues; the question stays.
    expect(bob.agent.screen).toMatch(/Do you want to proceed/);
    expect(bob.arrivals('behind the dialog')).toBe(0);
    bob.agent.type('\x1b');
    await bob.arrived('behind the dialog');
    await ended(bob);
    expect(existsSync(trace)).toBe(false);
    expect(bob.arrivals('behind the dialog')).toBe(1);
  });

  it('falls back to keys where hooks are off, and says so', async () => {
    const bob = await withoutHooks([]);
    bob.agent.type('half a thought');
    await bob.agent.shows(/half a thought/);
    await table.send('bob', 'by whatever way');
    await bob.agent.logs('inject.native-failed');
    await bob.agent.logs('no hook took the message');
    bob.agent.type('\x15');
    await bob.arrived('by whatever way');
    expect(bob.arrivals('by whatever way')).toBe(1);
    await ended(bob);
  });

  it('says what is wrong when only the hook may be used and hooks are off', async () => {
    const bob = await withoutHooks(NATIVE.wrap);
    await table.send('bob', 'nobody takes it');
    await bob.agent.logs('"reason":"no-channel"');
    await expect.poll(() => table.cli('agents'), { timeout: 60_000 }).toContain('no-channel');
    expect(bob.stub.prompts).toEqual([]);
  });
});
