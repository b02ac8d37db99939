/** `agent-wrap watch` in a real terminal: what it shows, and the terminal it leaves. Issue "Teams". */

import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { COMMAND, OuterTerminal } from '../helpers/outer-terminal.ts';
import { Place } from '../helpers/place.ts';
import { waitFor } from '../helpers/wait-for.ts';

const AGENT = resolve(import.meta.dirname, '../../fixtures/agents/echo-agent.mjs');

let place: Place;
let terminals: OuterTerminal[];
beforeEach(() => {
  place = new Place();
  terminals = [];
});
afterEach(async () => {
  for (const terminal of terminals) await terminal.dispose();
  await place.remove();
});

function open(...words: string[]): OuterTerminal {
  const env = {
    ...place.env,
    AGENT_RELAY_TOKEN: undefined,
    AGENT_RELAY_NAME: undefined,
    TERM: 'xterm-256color',
  };
  const terminal = new OuterTerminal(words, { env });
  terminals.push(terminal);
  return terminal;
}
const wrap = (name: string) => open(...COMMAND, '--name', name, '--', process.execPath, AGENT);
/** In a shell, whose terminal must be as it was. */
const watch = () => open('sh', '-c', `stty -g; ${COMMAND.join(' ')} watch; echo "left with $?"; stty -g`);

const LEFT = '\x1b[?2004l\x1b[?7h\x1b[?25h\x1b[?1049l';

async function leaves(terminal: OuterTerminal, code: RegExp): Promise<void> {
  await terminal.see(code);
  await terminal.end();
  const [before, after] = [...terminal.text.matchAll(/^[0-9a-f:]{30,}/gm)].map(([modes]) => modes);
  expect(before).toBeDefined();
  expect(after).toBe(before);
  expect(terminal.text.lastIndexOf(LEFT)).toBeGreaterThan(terminal.text.lastIndexOf('\x1b[?1049h'));
}

describe('agent-wrap watch', () => {
  it('waits for a relay, shows agents as they come and messages as they flow, and sends', async () => {
    const screen = watch();
    await screen.see('nobody hosts it');
    const ada = wrap('ada');
    await ada.see(/ready/);
    await screen.see('1 agents');
    const bob = wrap('bob');
    await bob.see(/ready/);
    await screen.see('2 agents');
    ada.write('say >>relay:bob hello\n');
    await screen.see(/delivered {2}ada → bob: hello/);
    screen.write('j');
    screen.write('s');
    screen.write('from the person\r');
    await bob.see(/heard: Relay message from user \[\w+\]: from the person/);
    await screen.see('sent to bob');
    screen.write('h');
    await screen.see('bob is held');
    ada.write('say >>relay:bob are you held\n');
    await screen.see(/held {7}ada → bob: are you held/);
    expect(bob.text).not.toContain('are you held');
    screen.write('r');
    await bob.see(/heard: Relay message from ada \[\w+\]: are you held/);
    screen.write('q');
    await leaves(screen, /left with 0/);
  });

  it('is whole after a resize, however small', async () => {
    const screen = watch();
    await screen.see('nobody hosts it');
    for (const [cols, rows] of [
      [20, 3],
      [5, 1],
      [132, 40],
    ] as const) {
      const from = screen.text.length;
      screen.resize(cols, rows);
      await waitFor(() => screen.text.slice(from).includes(`\x1b[${rows};1H`), `a screen of ${rows} rows`);
      expect(screen.text.slice(from)).not.toContain(`\x1b[${rows + 1};1H`);
    }
    screen.write('\x03');
    await leaves(screen, /left with 0/);
  });

  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('gives the terminal back at %s', async (signal) => {
    // The shell tells its pid and becomes watch, so that the signal reaches watch and nobody else.
    const inner = `echo "pid $$"; exec ${COMMAND.join(' ')} watch`;
    const screen = open('sh', '-c', `stty -g; sh -c '${inner}'; echo "left with $?"; stty -g`);
    const [, pid] = (await screen.see(/pid (\d+)/)) ?? [];
    await screen.see('nobody hosts it');
    process.kill(Number(pid), signal);
    await leaves(screen, /left with \d+/);
  });

  it('needs a terminal, and says what to use without one', async () => {
    const piped = open('sh', '-c', `${COMMAND.join(' ')} watch < /dev/null`);
    await piped.see('[USAGE]');
    expect(await piped.end()).toBe(2);
  });
});

describe('the screen of one agent, followed', () => {
  it('shows what it prints, and is left with Esc; its wrapper takes it away', async () => {
    const ada = wrap('ada');
    await ada.see(/ready/);
    const screen = watch();
    await screen.see('1 agents');
    ada.write('say before\n');
    await ada.see('before');
    screen.write('f');
    await screen.see(/── ada · 80×24/);
    await screen.see('before');
    ada.write('say and now this\n');
    await screen.see('and now this');
    screen.write('\x1b');
    await screen.see(/── messages/);
    ada.write('quit\n');
    await ada.end();
    expect(readdirSync(join(place.directory, 'screens'))).toEqual([]);
    screen.write('q');
    await leaves(screen, /left with 0/);
  });

  it('shows what it draws, in its size, and waits for a wrapper that does not show it', async () => {
    const agent = `
      process.stdout.write('\\x1b[?1049h\\x1b[2J\\x1b[10;5Hdrawn in place');
      process.stdin.once('data', () => process.stdout.write('\\x1b[10;5Hdrawn anew    '));
      setInterval(() => {}, 1000);`;
    const eve = open(...COMMAND, '--name', 'eve', '--', process.execPath, '-e', agent);
    await eve.see('drawn in place');
    const screen = watch();
    await screen.see('1 agents');
    screen.write('f');
    await screen.see(/ {4}drawn in place/);
    eve.write('\n');
    await screen.see(/ {4}drawn anew/);
    process.kill(eve.pid, 'SIGKILL');
    await screen.see('its wrapper shows no screen (yet)');
    const again = wrap('eve');
    await again.see(/ready/);
    await screen.see(/ready \d+/);
    screen.write('q');
    await leaves(screen, /left with 0/);
  });
});
