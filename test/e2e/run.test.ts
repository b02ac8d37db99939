/** `agent-wrap run`: pairings as CI runs them, without a terminal. docs/run.md. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { readCast } from '../../src/terminal/cast.ts';
import { Screen } from '../../src/terminal/screen.ts';
import { COMMAND, FILE, LEADING, OuterTerminal } from '../helpers/outer-terminal.ts';
import { waitFor } from '../helpers/wait-for.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const ECHO = join(ROOT, 'fixtures/agents/echo-agent.mjs');
/** Says each argument as a line once it has been spoken to, then ends with the code in CODE. */
const SAY = `read line; for word; do echo "$word"; done; sleep 0.3; exit \${CODE:-0}`;
/** Ignores every polite signal, and has a child that has cut all ties and is no better. */
const STUBBORN = `trap '' TERM INT HUP
(setsid sh -c 'trap "" TERM INT HUP; while :; do sleep 1; done' &)
echo ready; while :; do sleep 1; done`;

let home: string;
let mark: string;
let children: ChildProcess[];

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'agent-wrap-test-'));
  mkdirSync(join(home, 'tmp'));
  mark = randomUUID();
  children = [];
});

afterEach(() => {
  // A run that failed to clean up has failed its test; here nothing may stay behind all the same.
  for (const child of children) if (child.exitCode === null) child.kill('SIGKILL');
  for (const pid of left()) process.kill(pid, 'SIGKILL');
  rmSync(home, { recursive: true, force: true });
});

/** Pids of all that carries this test's mark in its environment. */
function left(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, 'latin1').includes(mark);
      } catch {
        return false;
      }
    })
    .map(Number);
}

const nothingLeft = () => left().length === 0 && readdirSync(join(home, 'tmp')).length === 0;

interface Running {
  child: ChildProcess;
  stderr: () => string;
  exit: Promise<number>;
}

function start(pairing: unknown, ...args: string[]): Running {
  const file = join(home, 'pairing.yaml');
  writeFileSync(file, typeof pairing === 'string' ? pairing : JSON.stringify(pairing));
  const child = spawn(FILE, [...LEADING, 'run', ...args, file], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TMPDIR: join(home, 'tmp'), TEST_MARK: mark },
  });
  children.push(child);
  let text = '';
  child.stderr.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  const exit = new Promise<number>((done) => {
    child.on('close', (code, signal) => done(code ?? (signal === null ? -1 : 1000)));
  });
  return { child, stderr: () => text, exit };
}

async function run(pairing: unknown, ...args: string[]): Promise<{ code: number; stderr: string }> {
  const running = start(pairing, ...args);
  const code = await running.exit;
  return { code, stderr: running.stderr() };
}

interface Summary {
  outcome: object;
  agents: object[];
  rounds: object[];
}

const out = () => join(home, 'out');
const read = (name: string) => readFileSync(join(out(), name), 'utf8');
const summary = (name = 'summary.json') => JSON.parse(read(name)) as Summary;

const says = (name: string, words: string[], more: object = {}) => ({
  name,
  command: ['sh', '-c', SAY, name, ...words],
  prompt: 'go',
  ...more,
});
const listens = (name: string) => ({ name, command: [process.execPath, ECHO] });

describe('a pairing that goes as expected', () => {
  it('ends with 0, shows each message, leaves a record of all of it, and nothing else', async () => {
    const example = readFileSync(join(ROOT, 'docs/examples/two-scripts.yaml'), 'utf8');
    const text = example.replaceAll('scripts/', `${ROOT}/docs/examples/scripts/`);
    const { code, stderr } = await run(text, '--out', out(), '--seed', '41');
    expect(stderr).toMatch(/guesser → keeper {2}guess \[game\] Is it 50\?/);
    expect(code).toBe(0);
    expect(nothingLeft()).toBe(true);
    expect(readdirSync(out()).sort()).toEqual([
      'diagram.mmd',
      'junit.xml',
      'logs',
      'messages.jsonl',
      'recordings',
      'summary.json',
    ]);
    expect(summary()).toMatchObject({
      pairing: 'guess the number',
      seed: 41,
      exitCode: 0,
      outcome: { how: 'met' },
    });
    const messages = read('messages.jsonl')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(messages.at(-1)).toMatchObject({
      from: 'keeper',
      body: '42: found',
      recipients: [{ name: 'guesser', fate: 'delivered' }],
    });
    expect(read('diagram.mmd')).toMatch(/^sequenceDiagram\n/);
    expect(read('junit.xml')).toContain('failures="0"');
    const { header, events } = await readCast(join(out(), 'recordings/guesser.cast'));
    expect(header).toMatchObject({ width: 120, height: 40, title: 'guesser' });
    let shown = '';
    for await (const event of events) if (event.kind === 'o') shown += event.text;
    expect(shown).toContain('Is it 50?');
  });

  it('reaches everybody with a broadcast and subscribers with a topic, because it waits for all to join', async () => {
    const { code, stderr } = await run({
      agents: [listens('a'), { ...listens('b'), topics: ['news'] }],
      messages: [
        { to: '*', body: 'to all' },
        { topic: 'news', body: 'to some' },
      ],
      until: [{ message: { body: 'to', fate: 'delivered' }, count: 2 }],
      expect: [
        { message: { to: 'a', body: 'to all' } },
        { never: { to: 'a', body: 'to some' } },
        { message: { to: 'b' }, times: 2 },
      ],
      timeout: 30,
    });
    expect(stderr).toContain('passed');
    expect(code).toBe(0);
  });

  it('ends when its agents are idle', async () => {
    const { code } = await run({
      agents: [listens('a')],
      until: [{ idle: { agents: 'all', seconds: 0.5 } }],
      timeout: 30,
    });
    expect(code).toBe(0);
  });
});

describe('the terminal of an agent', () => {
  it('answers what an agent asks of it, and has the size of the file', async () => {
    const ask = `process.stdin.setRawMode(true);
      process.stdin.once('data', (reply) => {
        const asked = /^\\x1b\\[\\d+;\\d+R$/.test(String(reply));
        process.exit(asked && process.stdout.columns === 100 && process.stdout.rows === 20 ? 0 : 9);
      });
      process.stdout.write('\\x1b[6n');`;
    const agent = { name: 'a', command: [process.execPath, '-e', ask], size: { cols: 100, rows: 20 } };
    const { code, stderr } = await run({ agents: [agent], timeout: 20 });
    expect(stderr).toContain('a ended with exit code 0');
    expect(code).toBe(0);
  });
});

describe('a pairing that does not go so', () => {
  it('ends with 1 when an expectation fails, and says which', async () => {
    const pairing = {
      agents: [says('a', ['>>relay:b hello']), listens('b')],
      until: [{ message: { from: 'a' } }],
      expect: [{ message: { body: 'hello' } }, { message: { body: 'goodbye' } }],
      timeout: 30,
    };
    const { code, stderr } = await run(pairing, '--out', out());
    expect(code).toBe(1);
    expect(stderr).toMatch(/ok {6}message: body \/hello\//);
    expect(stderr).toMatch(/FAILED {2}message: body \/goodbye\/: there were 0/);
    expect(read('junit.xml')).toContain('failures="1"');
  });

  it('ends with 1 when all agents have ended before any condition held', async () => {
    const { code, stderr } = await run({
      agents: [says('a', [])],
      until: [{ message: { from: 'a' } }],
      timeout: 30,
    });
    expect(code).toBe(1);
    expect(stderr).toContain('every agent ended before');
  });

  it('ends with 2 and the line of each mistake', async () => {
    const { code, stderr } = await run('agents:\n  - name: a\n    command: [no-such-program]\n');
    expect(code).toBe(2);
    expect(stderr).toMatch(/pairing\.yaml:3:5: agents\[0\]\.command: no-such-program: command not found/);
    expect((await run('agents: 5\n')).code).toBe(2);
    expect((await run('agents: []\n', '--repeat', 'x')).code).toBe(2);
  });

  it('ends with 3 after its time, and no agent, however stubborn, outlives it', async () => {
    const pairing = { agents: [{ name: 'a', command: ['sh', '-c', STUBBORN] }] };
    const { code, stderr } = await run(pairing, '--timeout', '3', '--out', out());
    expect(code).toBe(3);
    expect(stderr).toContain('timed out after 3 s');
    expect(nothingLeft()).toBe(true);
    expect(summary().agents[0]).toMatchObject({ end: 'stopped' });
  });

  it('ends with 4 when an agent fails, after the restarts it is allowed', async () => {
    const pairing = {
      agents: [
        says('a', ['once'], { env: { CODE: 7 }, restart: { policy: 'on-failure', max: 1 } }),
        listens('b'),
      ],
      timeout: 60,
    };
    const { code, stderr } = await run(pairing, '--out', out());
    expect(code).toBe(4);
    expect(stderr).toContain('a failed with exit code 7');
    expect(summary().agents).toMatchObject([
      { name: 'a', starts: 2, end: { code: 7 }, failed: true },
      { name: 'b', end: 'stopped', failed: false },
    ]);
    expect(readdirSync(join(out(), 'recordings')).sort()).toEqual(['a+2.cast', 'a.cast', 'b.cast']);
  });

  it('ends with 0 when an exit code is the expected one', async () => {
    const pairing = {
      agents: [says('a', [], { env: { CODE: 7 } })],
      expect: [{ exit: { a: 7 } }],
      timeout: 30,
    };
    expect((await run(pairing)).code).toBe(0);
  });

  it('ends with 1 when a pattern of it takes for ever', async () => {
    const pairing = {
      agents: [says('a', [`>>relay:b ${'a'.repeat(60)}!`]), listens('b')],
      until: [{ message: { body: '(a+)+$' } }],
      timeout: 30,
    };
    const { code, stderr } = await run(pairing);
    expect(code).toBe(1);
    expect(stderr).toContain('took more than');
  });
});

describe('several rounds', () => {
  const pairing = () => ({
    // Fails in the first round only.
    agents: [says('a', [], { env: {}, command: ['sh', '-c', 'exit $((AGENT_WRAP_SEED == 5))'] })],
    timeout: 30,
  });

  it('end at the first that fails', async () => {
    const { code } = await run(pairing(), '--repeat', '3', '--seed', '5', '--out', out());
    expect(code).toBe(4);
    expect(summary().rounds).toMatchObject([{ round: 1, seed: 5, exitCode: 4 }]);
  });

  it('all run with --keep-going, each with a seed of its own', async () => {
    const { code } = await run(pairing(), '--repeat', '3', '--seed', '4', '--keep-going', '--out', out());
    expect(code).toBe(4);
    expect(summary().rounds).toMatchObject([
      { seed: 4, exitCode: 0 },
      { seed: 5, exitCode: 4 },
      { seed: 6, exitCode: 0 },
    ]);
    expect(summary('round-2/summary.json')).toMatchObject({ seed: 5, exitCode: 4 });
    expect(read('junit.xml').match(/<testsuite /g)).toHaveLength(3);
  });
});

describe('a run that is ended from outside', () => {
  const stubborn = { agents: [{ name: 'a', command: ['sh', '-c', STUBBORN] }, listens('b')], timeout: 60 };

  /** Its stubborn agent and that one's child run: wrapper, agent, child, `b` twice, and some sleeps. */
  async function running(): Promise<Running> {
    const started = start(stubborn, '--out', out());
    const ready = (name: string) => {
      try {
        return read(`recordings/${name}.cast`).includes('ready');
      } catch {
        return false;
      }
    };
    await waitFor(() => ready('a') && ready('b'), 'both agents to be ready', 30_000);
    return started;
  }

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('by %s ends its agents, writes its reports and says %i', async (signal, expected) => {
    const { child, exit } = await running();
    child.kill(signal);
    expect(await exit).toBe(expected);
    expect(nothingLeft()).toBe(true);
    expect(summary().outcome).toMatchObject({ how: 'interrupted', signal });
  });

  it('by SIGKILL leaves no process and no directory behind either', async () => {
    const { child, exit } = await running();
    child.kill('SIGKILL');
    await exit;
    await waitFor(nothingLeft, () => `the end of ${left()} in ${readdirSync(join(home, 'tmp'))}`, 30_000);
  });
});

describe('agent-wrap run on a terminal', () => {
  const pairing = {
    agents: [says('ada', ['>>relay:bob hello']), listens('bob')],
    until: [{ message: { from: 'ada', to: 'bob', body: 'hello', fate: 'delivered' } }],
  };
  const open = (...args: string[]) => {
    const file = join(home, 'pairing.yaml');
    writeFileSync(file, JSON.stringify(pairing));
    return new OuterTerminal(
      ['sh', '-c', `stty -g; ${[...COMMAND, 'run', ...args, file].join(' ')}; echo "left with $?"; stty -g`],
      { env: { TMPDIR: join(home, 'tmp'), TEST_MARK: mark, TERM: 'xterm-256color', CI: undefined } },
    );
  };

  it('shows the agents below the lines while it runs, and only lines when it is over', async () => {
    const terminal = open();
    try {
      await terminal.see(/AGENT {2,}STATE.*ada {2,}\w+.*bob {2,}\w+/s);
      expect(await terminal.end()).toBe(0);
      expect(terminal.text).toContain('left with 0');
      const screen = new Screen({ cols: 80, rows: 24, clock: systemClock });
      screen.push(terminal.bytes);
      await screen.drained();
      const shown = screen.rows().join('\n');
      screen.close();
      expect(shown).toMatch(/ada → bob {2}hello.*passed after .*\nleft with 0/s);
      expect(shown).not.toMatch(/STATE/);
      const [before, after] = [...terminal.text.matchAll(/^[0-9a-f:]{30,}/gm)].map(([modes]) => modes);
      expect(after).toBe(before);
    } finally {
      await terminal.dispose();
    }
  });

  it('has lines only with --plain', async () => {
    const terminal = open('--plain');
    try {
      await terminal.see(/ada → bob {2}hello/);
      expect(await terminal.end()).toBe(0);
      expect(terminal.text).not.toContain('\x1b');
    } finally {
      await terminal.dispose();
    }
  });
});
