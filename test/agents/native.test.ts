/**
 * Messages handed to the real opencode and Codex by their own channels: whole and once, past a draft and an
 * open question, which stay as they are. real-agents.md §5. `COUNT=30` for the full run.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { paced, type Script } from '../../fixtures/models/stub.ts';
import { BODIES } from './bodies.ts';
import { usable } from './install.ts';
import { type Seat, Table } from './seat.ts';

const table = new Table();
const COUNT = Number(process.env.COUNT ?? 3);
const BUSY = Math.min(COUNT, 10);
const FEW = Array.from({ length: Math.min(COUNT, 5) }, (_, i) => [i + 1]);
const KINDS = Object.values(BODIES);

/** A body of each kind in turn. `codex queue` takes a text as one argument, as everything here fits. */
const bodyOf = (i: number): string => (KINDS[i % KINDS.length] as (i: number) => string)(i);

/** One whose person has begun a conversation: before, there is nothing to hand a message to. */
async function begun(agent: 'opencode' | 'codex', script?: Script): Promise<Seat> {
  const bob = await table.seat(agent, 'bob', { wrap: ['--inject', 'native'], ...(script && { script }) });
  await bob.agent.logs('"to":"ready","by"');
  bob.agent.type('good morning');
  await bob.agent.shows(/good morning/);
  // An agent that takes what comes fast for a paste swallows the Enter that ends it.
  await expect
    .poll(
      () => {
        if (bob.stub.prompts.length === 0) bob.agent.type('\r');
        return bob.stub.prompts.length;
      },
      { timeout: 120_000, interval: 2_000 },
    )
    .toBe(1);
  return bob;
}

describe.each(['opencode', 'codex'] as const)('handing messages to the real %s by its channel', (name) => {
  it.skipIf(!usable(name))(`idle: ${COUNT} of all kinds arrive whole and once`, async () => {
    const bob = await begun(name);
    for (let i = 0; i < COUNT; i++) {
      await table.send('bob', bodyOf(i));
      await bob.arrived(bodyOf(i));
    }
    for (let i = 0; i < COUNT; i++)
      expect([bob.arrivals(bodyOf(i)), bob.agent.log]).toEqual([1, bob.agent.log]);
    expect(bob.stub.prompts.filter((prompt) => prompt.startsWith('Relay message'))).toHaveLength(COUNT);
    expect(existsSync(join(bob.box.cwd, 'evil-6'))).toBe(false);
    expect(bob.agent.log).not.toContain('inject.paste');
  });

  it.skipIf(!usable(name))(`busy: ${BUSY} that come during an answer cut nothing`, async () => {
    const bob = await begun(name, ({ prompt }) =>
      prompt.includes('good morning') ? { text: paced('slow words. '.repeat(30), 12, 100) } : 'Fine.',
    );
    await bob.agent.shows(/slow words/);
    for (let i = 0; i < BUSY; i++) await table.send('bob', `while busy ${i}.`);
    for (let i = 0; i < BUSY; i++) await bob.arrived(`while busy ${i}.`);
    for (let i = 0; i < BUSY; i++) expect(bob.arrivals(`while busy ${i}.`)).toBe(1);
    expect(bob.stub.journal.filter(({ outcome }) => outcome === 'cut')).toEqual([]);
  });

  it.skipIf(!usable(name)).each(FEW)(
    'a draft does not keep a message from it, and stays as it is, %i',
    async () => {
      const bob = await begun(name);
      bob.agent.type('half a thought');
      await bob.agent.shows(/half a thought/);
      await table.send('bob', 'past the draft');
      await bob.arrived('past the draft');
      await bob.agent.shows(/half a thought/);
      bob.agent.type(' is whole');
      await bob.agent.shows(/half a thought is whole/);
      await expect
        .poll(
          () => {
            if (bob.arrivals('half a thought is whole') === 0) bob.agent.type('\r');
            return bob.arrivals('half a thought is whole');
          },
          { timeout: 60_000, interval: 2_000 },
        )
        .toBe(1);
      expect(bob.stub.prompts.filter((prompt) => prompt.includes('half a thought'))).toEqual([
        'half a thought is whole',
      ]);
      expect(bob.arrivals('past the draft')).toBe(1);
    },
  );

  it.skipIf(!usable(name)).each(FEW)('a question is left to the person, who approves, %i', async () => {
    const script: Script = ({ prompt, toolResult }) =>
      prompt.includes('good morning') && toolResult === undefined
        ? { text: 'I will.', shell: 'touch trace.txt' }
        : 'Fine.';
    const bob = await begun(name, script);
    const trace = join(bob.box.cwd, 'trace.txt');
    await bob.agent.shows(/Would you like to run|Permission required/);
    await table.send('bob', 'behind the question');
    await bob.agent.logs('inject.hand-over');
    expect(existsSync(trace)).toBe(false);
    await bob.agent.shows(/Would you like to run|Permission required/);
    bob.agent.type(name === 'codex' ? 'y' : '\r');
    await bob.arrived('behind the question');
    await expect.poll(() => existsSync(trace), { timeout: 60_000 }).toBe(true);
    expect(bob.arrivals('behind the question')).toBe(1);
  });
});
