/**
 * From the model's last byte of a directive to the other agent's submitted prompt, between real agents under
 * the real wrapper, and the CPU the wrapper takes meanwhile. The models are stubs on 127.0.0.1. Issue 3.
 *
 * npx tsx bench/agents.ts [COUNT [PAIR …]], 10 and all four pairs by default; a pair is `claude-codex`.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { anthropic } from '../fixtures/models/anthropic.ts';
import { openaiResponses } from '../fixtures/models/openai-responses.ts';
import { type JournalEntry, ModelStub, paced } from '../fixtures/models/stub.ts';
import { install } from '../test/agents/install.ts';
import { loopbackOnly } from '../test/agents/loopback-only.ts';
import { Sandbox } from '../test/agents/sandbox.ts';
import { setupClaude } from '../test/agents/setup-claude.ts';
import { setupCodex } from '../test/agents/setup-codex.ts';
import { until } from '../test/agents/until.ts';
import { cli, WrappedAgent } from '../test/agents/wrapped-agent.ts';
import { printCells, quantile } from './table.ts';

const AGENTS = {
  claude: { protocol: anthropic, setup: setupClaude },
  codex: { protocol: openaiResponses, setup: setupCodex },
} as const;
type Agent = keyof typeof AGENTS;

const PAIRS = ['claude-codex', 'codex-claude', 'claude-claude', 'codex-codex'];

/** Milliseconds an answer streams while the CPU is measured, and without an answer for comparison. */
const STREAM_MS = 10_000;

/** Milliseconds per clock tick of /proc/PID/stat: USER_HZ is 100 on every Linux we run on. */
const TICK_MS = 10;

/** One agent with a home and a model of its own. */
class Seat {
  readonly stub: ModelStub;
  agent!: WrappedAgent;
  readonly #box = new Sandbox();
  readonly #kind: Agent;

  constructor(kind: Agent) {
    this.#kind = kind;
    this.stub = new ModelStub(AGENTS[kind].protocol);
  }

  async start(name: string, stateHome: string): Promise<void> {
    const launch = AGENTS[this.#kind].setup(this.#box, await this.stub.listen());
    this.agent = new WrappedAgent(name, launch, this.#box, { stateHome });
    await this.agent.ready();
  }

  /** The request that brought this prompt, once its answer has ended. */
  async answered(text: string): Promise<JournalEntry> {
    const entry = await this.stub.waitFor((one) => one.main && one.prompt.includes(text), 60_000);
    await until(`an answer to ${text}`, () => entry.outcome !== 'running');
    return entry;
  }

  /** CPU that the wrapper's process has taken, in milliseconds. */
  get cpu(): number {
    const fields = readFileSync(`/proc/${this.agent.pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
  }

  async close(): Promise<void> {
    await this.agent?.close();
    await this.stub.close();
    this.#box.close();
  }
}

/** CPU per time, in percent of one core, while `work` goes on. */
async function load(seat: Seat, work: () => Promise<unknown>): Promise<number> {
  const before = { cpu: seat.cpu, at: performance.now() };
  await work();
  return ((seat.cpu - before.cpu) / (performance.now() - before.at)) * 100;
}

const percent = (value: number) => `${value.toFixed(1)} %`;
const ms = (value: number) => `${value.toFixed(0)} ms`;

async function measure(pair: string, count: number): Promise<string[]> {
  const [from, to] = pair.split('-') as [Agent, Agent];
  const stateHome = mkdtempSync(join(tmpdir(), 'agent-wrap-bench-'));
  const ada = new Seat(from);
  const bob = new Seat(to);
  try {
    // Bob hosts the daemon: the CPU of ada's wrapper is that of a wrapper alone.
    await bob.start('bob', stateHome);
    await ada.start('ada', stateHome);
    const saidAt = new Map<string, number>();
    ada.stub.script = ({ prompt }) => {
      const errand = /errand-\d+/.exec(prompt)?.[0];
      if (prompt.includes('long story'))
        return { text: paced('slow words. '.repeat(STREAM_MS / 50), 12, 50) };
      if (errand === undefined) return 'Fine.';
      const words = async function* () {
        yield* paced('I shall ask bob.\n\n', 6, 10);
        saidAt.set(errand, performance.now());
        yield `>>relay:bob please see to ${errand}, to its very end: ${'word '.repeat(20)}.${errand}\n`;
      };
      return { text: words() };
    };
    const took: number[] = [];
    for (let i = 0; i < count; i++) {
      const errand = `errand-${i}`;
      await cli(stateHome, 'send', 'ada', `Pass on ${errand}.`);
      const entry = await bob.answered(`see to ${errand},`);
      took.push(entry.at - (saidAt.get(errand) ?? Number.NaN));
      await ada.answered(errand);
    }
    // Each request carries the whole conversation.
    const last = JSON.stringify(bob.stub.journal.filter(({ main }) => main).at(-1)?.body);
    const whole = took.filter((_, i) => {
      const text = `see to errand-${i}, to its very end: ${'word '.repeat(20)}.errand-${i}`;
      return last.split(text).length === 2;
    });
    const idle = await load(ada, () => new Promise((resolve) => setTimeout(resolve, STREAM_MS / 2)));
    await cli(stateHome, 'send', 'ada', 'Tell a long story.');
    await ada.stub.waitFor((entry) => entry.main && entry.prompt.includes('long story'));
    const streaming = await load(ada, () => ada.answered('long story'));
    const [p50, p99] = [quantile(took, 0.5), quantile(took, 0.99)];
    return [
      pair.replace('-', ' → '),
      ms(p50),
      ms(p99),
      `${whole.length}/${count}`,
      percent(streaming),
      percent(idle),
    ];
  } finally {
    await ada.close();
    await bob.close();
    rmSync(stateHome, { recursive: true, force: true });
  }
}

const given = process.argv.slice(2);
if (process.env.BENCH_INSIDE === undefined) {
  for (const agent of Object.keys(AGENTS) as Agent[]) {
    const reason = install(agent);
    if (reason !== undefined) throw new Error(reason);
  }
  const [file = '', ...args] = [...loopbackOnly(), 'npx', 'tsx', import.meta.filename, ...given];
  const env = { ...process.env, BENCH_INSIDE: '1' };
  process.exitCode = spawnSync(file, args, { stdio: 'inherit', env }).status ?? 1;
} else {
  const [count = '10', ...pairs] = given;
  const rows = [['pair', 'p50', 'p99', 'whole and once', 'CPU streaming', 'CPU idle']];
  for (const pair of pairs.length > 0 ? pairs : PAIRS) rows.push(await measure(pair, Number(count)));
  printCells(rows);
  console.log(
    `load ${loadavg()
      .map((one) => one.toFixed(1))
      .join(' ')}; ${new Date().toISOString()}`,
  );
}
