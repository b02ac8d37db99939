/** Wrapped agents in real PTYs on a relay of their own. Issue "First light". */
import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { COMMAND, FILE, LEADING, OuterTerminal } from '../helpers/outer-terminal.ts';
import { waitFor } from '../helpers/wait-for.ts';

const AGENT = resolve(import.meta.dirname, '../../fixtures/agents/echo-agent.mjs');
const run = promisify(execFile);

let home: string;
let terminals: OuterTerminal[];

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'agent-wrap-e2e-'));
  terminals = [];
});

afterEach(async () => {
  for (const terminal of terminals) await terminal.dispose();
  rmSync(home, { recursive: true, force: true });
});

const env = () => ({ ...process.env, XDG_STATE_HOME: home, AGENT_RELAY_TOKEN: undefined });

/** `agent-wrap OPTIONS node echo-agent.mjs` in a terminal of its own, ready. */
async function wrapped(...options: string[]): Promise<OuterTerminal> {
  const log = join(home, `${terminals.length}.log`);
  const terminal = new OuterTerminal(
    [...COMMAND, '--log-file', log, '--log-level', 'debug', ...options, process.execPath, AGENT],
    { env: env(), cols: 200 },
  );
  terminals.push(terminal);
  await terminal.see(/ready \d+/);
  return terminal;
}

const cli = (...args: string[]) => run(FILE, [...LEADING, ...args], { env: env() });

async function agents(): Promise<{ name: string; state: string; queueDepth: number }[]> {
  const { stdout } = await cli('agents', '--json');
  return (JSON.parse(stdout) as { agents: { name: string; state: string; queueDepth: number }[] }).agents;
}

const logOf = (terminal: OuterTerminal) =>
  readFileSync(join(home, `${terminals.indexOf(terminal)}.log`), 'utf8');

const connected = (terminal: OuterTerminal) =>
  waitFor(() => logOf(terminal).includes('"state":"ready"'), 'the wrapper to be READY');

describe('two wrapped agents', () => {
  it('hear what the other says in a line, in a block, and to everybody', async () => {
    const ada = await wrapped('--name', 'ada');
    const bob = await wrapped('--name', 'bob');
    await Promise.all([connected(ada), connected(bob)]);
    ada.write('say >>relay:bob hello bob\n');
    await bob.see(/heard: Relay message from ada \[\w+\]: hello bob/);
    bob.write('block {"to": "ada", "type": "review", "body": "two\\nlines", "data": {"n": 1}}\n');
    await ada.see(/heard: Relay message from bob \[\w+\] \(review\): two ⏎ lines ⏎ data: \{"n":1\}/);
    bob.write('say >>thinking:* Considering the Queen...\n');
    await ada.see(/heard: Relay message from bob \[\w+\] \(thinking, to all\): Considering the Queen\.\.\./);
  });

  it('get the first free names of their kind', async () => {
    await connected(await wrapped());
    await connected(await wrapped());
    const names = (await agents()).map(({ name }) => name);
    // The first free number, or four hex digits where the relay did not answer in 100 ms (P10).
    expect(names).toEqual([expect.stringMatching(/^node-\w+$/), expect.stringMatching(/^node-\w+$/)]);
    expect(new Set(names).size).toBe(2);
  });

  it('are told apart from the relay: neither token nor session is in their environment or arguments', async () => {
    const ada = await wrapped('--name', 'ada', '--namespace', 'team');
    ada.write('env AGENT_RELAY_NAME\nenv AGENT_RELAY_NAMESPACE\nenv AGENT_RELAY_TOKEN\n');
    await ada.see('AGENT_RELAY_NAME=ada');
    await ada.see('AGENT_RELAY_NAMESPACE=team');
    await ada.see(/AGENT_RELAY_TOKEN=as_/);
    const pid = Number((await ada.see(/ready (\d+)/))?.[1]);
    const environment = readFileSync(`/proc/${pid}/environ`, 'latin1');
    expect(environment).not.toMatch(/a[hr]_[A-Za-z0-9_-]{16}/);
    for (const at of [pid, ada.pid])
      expect(readFileSync(`/proc/${at}/cmdline`, 'latin1')).not.toMatch(/a[hrs]_/);
  });

  it('leave nothing of a token in any log', async () => {
    const ada = await wrapped('--name', 'ada');
    await connected(ada);
    for (const file of readdirSync(home).filter((name) => name.endsWith('.log'))) {
      expect(readFileSync(join(home, file), 'utf8')).not.toMatch(/\ba[hrs]_[A-Za-z0-9_-]{16}/);
    }
  });
});

describe('what an agent says last', () => {
  it('leaves with it: a message printed right before the exit arrives', async () => {
    const bob = await wrapped('--name', 'bob');
    await connected(bob);
    const ada = await wrapped('--name', 'ada');
    await connected(ada);
    ada.write('say >>relay:bob my last words\nquit 7\n');
    expect(await ada.end()).toBe(7);
    await bob.see('my last words');
  });
});

describe('the person', () => {
  it('sends to an agent, and is not mistaken for one', async () => {
    const ada = await wrapped('--name', 'ada');
    await connected(ada);
    await cli('send', 'ada', 'a word from outside');
    await ada.see(/heard: Relay message from user \[\w+\]: a word from outside/);
  });

  it('is not interrupted while typing: the message waits for their line', async () => {
    const ada = await wrapped('--name', 'ada');
    await connected(ada);
    ada.write('half a sen');
    await ada.see('half a sen');
    await cli('send', 'ada', 'later please');
    await waitFor(() => logOf(ada).includes('"reason":"draft"'), 'the wrapper to wait for the draft');
    ada.write('tence\n');
    await ada.see('heard: half a sentence');
    await ada.see('later please');
    expect(ada.text).not.toContain('half a senRelay');
  });
});

describe('an agent that its person holds', () => {
  it('is typed nothing of what its wrapper has already, and everything once and in order when released', async () => {
    const ada = await wrapped('--name', 'ada');
    await connected(ada);
    ada.write('half a sen');
    await ada.see('half a sen');
    for (const n of [1, 2, 3]) await cli('send', 'ada', `message ${n}`);
    await waitFor(() => logOf(ada).includes('"reason":"draft"'), 'the wrapper to have them');
    await cli('hold', 'ada');
    ada.write('tence\n');
    await ada.see('heard: half a sentence');
    await waitFor(() => logOf(ada).includes('"reason":"held"'), 'the wrapper to wait for the person');
    expect(ada.text).not.toContain('message 1');
    await cli('release', 'ada');
    await ada.see(/heard: .*\]: message 3/);
    expect(ada.text.match(/heard: .*\]: message \d/g)?.map((line) => line.slice(-1))).toEqual([
      '1',
      '2',
      '3',
    ]);
  });
});

describe('what is typed', () => {
  it('is not what the agent says: a directive that the terminal echoes goes nowhere', async () => {
    const bob = await wrapped('--name', 'bob');
    const ada = await wrapped('--name', 'ada');
    await Promise.all([connected(ada), connected(bob)]);
    ada.write('>>relay:bob typed by the person\n');
    await ada.see('heard: >>relay:bob typed by the person');
    ada.write('say >>relay:bob said by the agent\n');
    await bob.see('heard: Relay message from ada');
    expect(bob.text).not.toContain('typed by the person');
  });
});

describe('the embedded daemon', () => {
  it('is taken over when its host is killed in mid-conversation, and the conversation goes on', async () => {
    const host = await wrapped('--name', 'host');
    await connected(host);
    const ada = await wrapped('--name', 'ada');
    const bob = await wrapped('--name', 'bob');
    await Promise.all([connected(ada), connected(bob)]);
    ada.write('say >>relay:bob before\n');
    await bob.see(/heard: .*before/);
    process.kill(host.pid, 'SIGKILL');
    ada.write('say >>relay:bob after\n');
    await bob.see(/heard: .*after/);
    bob.write('say >>relay:ada and back\n');
    await ada.see(/heard: .*and back/);
    expect(bob.text.match(/: before/g)).toHaveLength(2); // The echo of its line, and `heard:`.
  });

  it('is handed over when its host leaves', async () => {
    const host = await wrapped('--name', 'host');
    await connected(host);
    const ada = await wrapped('--name', 'ada');
    const bob = await wrapped('--name', 'bob');
    await Promise.all([connected(ada), connected(bob)]);
    host.write('quit 0\n');
    expect(await host.end()).toBe(0);
    ada.write('say >>relay:bob still there?\n');
    await bob.see(/heard: .*still there\?/);
  });

  it('does not hurt the agent when it cannot be had', async () => {
    // A relay directory that others may write to is refused.
    mkdirSync(join(home, 'agent-relay'));
    chmodSync(join(home, 'agent-relay'), 0o777);
    const ada = await wrapped();
    await waitFor(() => logOf(ada).includes('DIRECTORY_UNSAFE'), 'the wrapper to say why it has no relay');
    ada.write('env AGENT_RELAY_NAME\n');
    await ada.see(/AGENT_RELAY_NAME=node-[0-9a-f]{4}/);
    ada.write('quit 3\n');
    expect(await ada.end()).toBe(3);
  });
});
