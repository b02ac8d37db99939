/**
 * A person who types while messages are typed into the real Claude Code: no key lost, none merged into a
 * message, no draft submitted, no message refused. `COUNT=30` for the full run.
 */
import { describe, expect, it } from 'vitest';
import { usable } from './install.ts';
import { Table } from './seat.ts';
import { until } from './until.ts';

const table = new Table();
const COUNT = Number(process.env.COUNT ?? 3);
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe.skipIf(!usable('claude'))('typing while messages come to the real claude', () => {
  it(`keeps what the person types apart from them, ${COUNT} times`, async () => {
    const bob = await table.seat('claude', 'bob', { wrap: ['--inject', 'keys'] });
    const pastes = () => bob.agent.log.split('inject.paste').length - 1;
    for (let i = 0; i < COUNT; i++) {
      const body = `message ${i}: ${'words of a message '.repeat(1 + (i % 3) * 20)}end ${i}.`;
      const words = `my own thought number ${i}`;
      await table.send('bob', body);
      await until(`paste ${i}`, () => pastes() > i);
      // From the paste to well behind the submit key, at the pace of a person who is in a hurry.
      for (const key of words) {
        bob.agent.type(key);
        await pause(15);
      }
      await bob.arrived(body);
      await bob.agent.shows(new RegExp(`❯\\s${words}$`, 'm'));
      bob.agent.type('\x15');
      await until('an empty box', () => !bob.agent.screen.includes(`❯\u00a0${words}`));
    }
    for (let i = 0; i < COUNT; i++) expect(bob.arrivals(`end ${i}.`)).toBe(1);
    expect(bob.stub.prompts).toHaveLength(COUNT);
    expect(bob.stub.prompts.join('\n')).not.toContain('thought');
    expect(bob.agent.log).not.toContain('inject.refused');
  });

  it('lets Ctrl-C through at once, and types what it threw away once more', async () => {
    const bob = await table.seat('claude', 'bob', { wrap: ['--inject', 'keys'] });
    for (let i = 0; i < Math.min(COUNT, 5); i++) {
      const before = bob.agent.log.split('inject.paste').length;
      await table.send('bob', `stopped ${i}.`);
      await until('the paste', () => bob.agent.log.split('inject.paste').length > before);
      bob.agent.type('\x03');
      await bob.arrived(`stopped ${i}.`);
    }
    for (let i = 0; i < Math.min(COUNT, 5); i++) expect(bob.arrivals(`stopped ${i}.`)).toBe(1);
    expect(bob.agent.log).not.toContain('inject.refused');
  });
});
