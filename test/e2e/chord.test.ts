/** The chord in a wrapped terminal: hold, see what waits, release. docs/people.md. */
import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { COMMAND, FILE, LEADING, OuterTerminal } from '../helpers/outer-terminal.ts';
import { Place } from '../helpers/place.ts';
import { waitFor } from '../helpers/wait-for.ts';

const AGENT = resolve(import.meta.dirname, '../../fixtures/agents/echo-agent.mjs');
const PREFIX = '\x1e';
const run = promisify(execFile);

let place: Place;
let terminal: OuterTerminal | undefined;
beforeEach(() => {
  place = new Place();
});
afterEach(async () => {
  await terminal?.dispose();
  await place.remove();
});

const env = () => ({
  ...process.env,
  ...place.env,
  AGENT_RELAY_TOKEN: undefined,
  AGENT_RELAY_NAME: undefined,
});
const cli = (...words: string[]) => run(FILE, [...LEADING, ...words], { env: env() });

async function wrapped(...options: string[]): Promise<OuterTerminal> {
  terminal = new OuterTerminal([...COMMAND, '--name', 'ada', ...options, '--', process.execPath, AGENT], {
    env: env(),
    cols: 200,
  });
  await terminal.see(/ready \d+/);
  await waitFor(
    async () => (await cli('agents').catch(() => undefined))?.stdout.includes('ada'),
    'ada to join',
  );
  return terminal;
}

/** What is on the screen: no title, no bell. */
const drawn = (text: string) => text.replace(/\x1b\]2;[^\x1b]*\x1b\\|\x1b\[2[23];2t|\x07/g, '');

describe('the chord', () => {
  it('holds messages, says in the title what waits, and releases them', async () => {
    const ada = await wrapped('--bell');
    ada.write(`${PREFIX}h`);
    await ada.see('\x1b[22;2t\x1b]2;ada is held (Ctrl-^ h releases): nothing waits\x1b\\');
    await cli('send', 'ada', 'are you there');
    await ada.see('releases): 1 message waits\x1b\\');
    await ada.see('\x07');
    ada.write(`${PREFIX}w`);
    await ada.see('\x1b]2;ada: 1 message waits (held)\x1b\\');
    expect(drawn(ada.text)).not.toContain('are you there');
    expect(drawn(ada.text)).toMatch(/^ready \d+\r\n$/);
    ada.write(`${PREFIX}h`);
    await ada.see(/heard: Relay message from user \[\w+\]: are you there/);
    ada.write('bye\n');
  });

  it('gives the title back when the agent ends', async () => {
    const ada = await wrapped();
    ada.write(`${PREFIX}h`);
    await ada.see('ada is held');
    ada.write('\x04');
    await ada.end();
    expect(ada.text).toMatch(/\x1b\[23;2t$/);
  });

  it('is the agent’s with --no-chord, and may be another key', async () => {
    const plain = await wrapped('--no-chord');
    plain.write(`${PREFIX}h\n`);
    await plain.see('heard: \x1eh');
    expect(plain.text).not.toContain('held');
    // Without us Ctrl-\\ quits a program that reads lines; so it does with us, at once, chord or not.
    const quit = await wrapped();
    quit.write('\x1c');
    expect(await quit.end()).toBe(131);
    const other = await wrapped('--chord', 'ctrl-]');
    other.write('\x1dh');
    await other.see('ada is held (Ctrl-] h releases)');
    await expect(cli('--chord', 'ctrl-c', 'cat')).rejects.toThrow('[USAGE]');
  });
});
