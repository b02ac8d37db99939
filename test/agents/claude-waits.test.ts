/** Who waits for a person of the real Claude Code is told so, once. docs/protocol.md "Control". */
import { describe, expect, it } from 'vitest';
import { usable } from './install.ts';
import { Table } from './seat.ts';

const table = new Table();

describe.skipIf(!usable('claude'))('a message that waits for the person of the real claude', () => {
  it.each([
    ['a dialog', 'use the tool', /shows a dialog/],
    ['a draft', undefined, /half-typed line/],
  ])('gives its sender one notice: %s', async (_what, asks, notice) => {
    const bob = await table.seat('claude', 'bob', { wrap: ['--inject', 'keys'] });
    bob.stub.script = ({ toolResult }) =>
      asks !== undefined && toolResult === undefined
        ? { text: 'I will.', shell: 'touch trace.txt' }
        : 'Fine.';
    await table.send('bob', asks ?? 'hello');
    await bob.arrived(asks ?? 'hello');
    if (asks !== undefined) await bob.agent.shows(/Do you want to proceed/);
    else bob.agent.type('half a thought');
    await table.send('bob', 'for later');
    const inbox = () => table.cli('inbox', 'user');
    await expect.poll(inbox, { timeout: 120_000, interval: 2_000 }).toMatch(notice);
    await table.send('bob', 'for later, too');
    expect((await inbox()).match(new RegExp(notice, 'g'))).toHaveLength(1);
    expect(bob.arrivals('for later')).toBe(0);
    bob.agent.type(asks === undefined ? '\x15' : '\x1b');
    await bob.arrived('for later');
  });
});
