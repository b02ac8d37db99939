/** The person suspends a wrapper (Ctrl-Z) that hosts the daemon. P20, docs/design/terminal.md §2. */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { COMMAND, OuterTerminal } from '../../helpers/outer-terminal.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { withState } from '../daemon-process.ts';
import type { Fault } from '../fault.ts';

const AGENT = resolve(import.meta.dirname, '../../../fixtures/agents/echo-agent.mjs');

export const fault: Fault = {
  name: 'suspend',
  criterion:
    'a wrapper that hosts is suspended with Ctrl-Z: it hands over before it stops, so nobody waits for it; what was ' +
    'sent to its agent meanwhile is typed after fg, once',
  run: ({ amount }) =>
    withState(async (home) => {
      const rounds = amount('rounds', { quick: 1, usual: 2, full: 10 });
      const env = {
        ...process.env,
        HOME: home,
        XDG_STATE_HOME: home,
        AGENT_RELAY_TOKEN: undefined,
        PS1: 'PROMPT> ',
      };
      const command = (name: string) => [
        ...COMMAND,
        ...['--name', name, '--log-file', join(home, name), '--log-level', 'debug', process.execPath, AGENT],
      ];
      const log = (name: string) =>
        existsSync(join(home, name)) ? readFileSync(join(home, name), 'utf8') : '';
      const count = (text: string, part: string) => text.split(part).length - 1;
      const wrong: string[] = [];
      const ada = new OuterTerminal(['bash', '--norc', '-i'], { env, cols: 200 });
      const bob = new OuterTerminal(['bash', '--norc', '-i'], { env, cols: 200 });
      try {
        for (const [terminal, name] of [
          [ada, 'ada'],
          [bob, 'bob'],
        ] as const) {
          await terminal.see('PROMPT> ');
          terminal.write(
            `${command(name)
              .map((word) => `'${word}'`)
              .join(' ')}\r`,
          );
          await terminal.see(/ready \d+/);
          await waitFor(() => log(name).includes('"state":"ready"'), `${name} to be READY`);
        }
        const pair = [
          { name: 'ada', terminal: ada },
          { name: 'bob', terminal: bob },
        ];
        for (let round = 0; round < rounds; round++) {
          const [host, other] = pair as [(typeof pair)[0], (typeof pair)[0]];
          const led = count(log(other.name), '"event":"host.leads"');
          const stops = count(host.terminal.text, 'Stopped');
          host.terminal.write('\x1a');
          await waitFor(() => count(host.terminal.text, 'Stopped') > stops, `${host.name} to be stopped`);
          await waitFor(() => count(log(other.name), '"event":"host.leads"') > led, `${other.name} to lead`);
          if (log(other.name).includes('"state":"silent"'))
            wrong.push(`round ${round}: it was not told, but waited`);
          other.terminal.write(`say >>relay:${host.name} while you slept ${round}\r`);
          await waitFor(
            () => other.terminal.text.includes(`>>relay:${host.name} while you slept ${round}`),
            'the SEND',
          );
          host.terminal.write('fg\r');
          await host.terminal.see(
            new RegExp(`heard: Relay message from ${other.name}.*while you slept ${round}`),
          );
          host.terminal.write(`say >>relay:${other.name} awake ${round}\r`);
          await other.terminal.see(new RegExp(`heard: Relay message from ${host.name}.*awake ${round}`));
          for (const [{ terminal }, text] of [
            [host, `while you slept ${round}`],
            [other, `awake ${round}`],
          ] as const) {
            const times = terminal.text
              .split('\n')
              .filter((line) => line.includes('heard:') && line.includes(text));
            if (times.length !== 1) wrong.push(`round ${round}: "${text}" was heard ${times.length} times`);
          }
          pair.reverse();
        }
        return { runs: rounds, stored: 2 * rounds, wrong };
      } finally {
        for (const terminal of [ada, bob]) {
          terminal.write('\x03');
          await terminal.dispose();
        }
      }
    }),
};
