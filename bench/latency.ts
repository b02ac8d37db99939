/**
 * From one agent to another through two wrappers, as people see it: gate, paste, echo and submit key
 * included. What the relay itself takes is measured by bench/relay.ts. `npx tsx bench/latency.ts [--agents N]`
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { OuterTerminal } from '../test/helpers/outer-terminal.ts';
import { median, printCells, quantile } from './table.ts';

const { values } = parseArgs({ options: { agents: { type: 'string', default: '20' } } });
const MESSAGES = Number(values.agents);
const CLI = resolve(import.meta.dirname, '../bin/agent-wrap.js');
const home = mkdtempSync(join(tmpdir(), 'agent-wrap-bench-'));
const env = { ...process.env, XDG_STATE_HOME: home };

/** Agent prints → the other agent's stdin has the whole line, µs. */
async function throughWrappers(): Promise<number[]> {
  const agent = resolve(import.meta.dirname, '../fixtures/agents/clock-agent.mjs');
  const wrap = (name: string) =>
    new OuterTerminal(
      [process.execPath, CLI, '--namespace', 'agents', '--name', name, process.execPath, agent],
      { env, cols: 200 },
    );
  const ada = wrap('ada');
  const bob = wrap('bob');
  await Promise.all([ada.see('ready'), bob.see('ready')]);
  const times: number[] = [];
  for (let i = 0; i < MESSAGES; i++) {
    ada.write(`say ${i}\n`);
    const [, us] = (await bob.see(new RegExp(`message ${i} took (\\d+)`))) as RegExpMatchArray;
    times.push(Number(us));
  }
  await ada.dispose();
  await bob.dispose();
  return times;
}

try {
  const times = await throughWrappers();
  printCells([
    ['one way', 'p50 µs', 'p99 µs'],
    ['agent prints → other agent has read it', `${median(times)}`, `${quantile(times, 0.99)}`],
  ]);
} finally {
  rmSync(home, { recursive: true, force: true });
}
