/** A wrapper is killed, and the session goes on under the next one: what was said between is heard, once. Issue 3. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { usable } from './install.ts';
import { Table } from './seat.ts';
import { until } from './until.ts';

const table = new Table();

/** All that an agent has written into this folder. */
const written = (folder: string): string =>
  (existsSync(folder) ? (readdirSync(folder, { recursive: true }) as string[]) : [])
    .map((name) => join(folder, name))
    .filter((file) => statSync(file, { throwIfNoEntry: false })?.isFile())
    .map((file) => readFileSync(file, 'latin1'))
    .join('\n');

describe.each([
  { name: 'claude', sessions: '.claude/projects', resume: ['--continue'], streams: true },
  { name: 'codex', sessions: '.codex/sessions', resume: ['resume', '--last'], streams: false },
  { name: 'opencode', sessions: '.local/share/opencode', resume: ['--continue'], streams: true },
  { name: 'gemini', sessions: '.gemini/tmp', resume: ['--resume', 'latest'], streams: false },
] as const)('a wrapper of the real $name that is killed', ({ name, sessions, resume, streams }) => {
  it.skipIf(!usable(name, 'codex'))(
    'is followed by one that tells what it did not hear, and all of it once',
    async () => {
      const host = await table.seat('codex', 'host');
      const ada = await table.seat(name, 'ada');
      let answers: () => void = () => {};
      const stopped = new Promise<void>((resolve) => {
        answers = resolve;
      });
      ada.stub.script = ({ prompt }) => {
        if (prompt.includes('first errand')) return '>>relay:host heard before';
        if (!prompt.includes('second errand')) return 'Fine.';
        const text = async function* () {
          yield '>>relay:host heard of an answer that goes on\n\n';
          await stopped;
          yield '>>relay:host not heard at first';
        };
        return { text: text() };
      };
      await table.send('ada', 'first errand');
      await host.arrived('heard before');
      await table.send('ada', 'second errand');
      await ada.arrived('second errand');
      if (streams) await host.arrived('heard of an answer that goes on');
      // It cannot hear any more, and does not end in order; its agent still writes.
      process.kill(ada.agent.pid, 'SIGSTOP');
      answers();
      await until('the record', () => written(join(ada.box.home, sessions)).includes('not heard at first'));
      process.kill(ada.agent.pid, 'SIGKILL');
      await ada.resume(table.stateHome, resume);
      await table.send('ada', 'third errand');
      await host.arrived('not heard at first');
      await table.send('ada', 'fourth errand');
      await ada.arrived('fourth errand');
      await table.send('host', 'the last');
      await host.arrived('the last');
      for (const text of ['heard before', 'heard of an answer that goes on', 'not heard at first']) {
        expect(host.arrivals(text)).toBe(1);
      }
    },
  );
});
