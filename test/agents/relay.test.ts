/**
 * Real agents under the real wrapper, on a real relay: what one's model says reaches the other's model
 * whole and once, and no draft and no dialog is harmed. Issue 3. `COUNT=30` for the full run.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { anthropic } from '../../fixtures/models/anthropic.ts';
import { gemini } from '../../fixtures/models/gemini.ts';
import { openaiChat } from '../../fixtures/models/openai-chat.ts';
import { openaiResponses } from '../../fixtures/models/openai-responses.ts';
import { type ModelProtocol, ModelStub, paced } from '../../fixtures/models/stub.ts';
import { type AgentName, agentFile } from './install.ts';
import { type Launch, Sandbox } from './sandbox.ts';
import { setupClaude } from './setup-claude.ts';
import { setupCodex } from './setup-codex.ts';
import { setupGemini } from './setup-gemini.ts';
import { setupOpencode } from './setup-opencode.ts';
import { until } from './until.ts';
import { cli, WrappedAgent } from './wrapped-agent.ts';

interface Subject {
  protocol: ModelProtocol;
  setup(box: Sandbox, modelUrl: string): Launch;
  /** Keys that empty the input box. */
  clear: string;
}

const SUBJECTS: Partial<Record<AgentName, Subject>> = {
  claude: { protocol: anthropic, setup: setupClaude, clear: '\x15' },
  codex: { protocol: openaiResponses, setup: setupCodex, clear: '\x15' },
  opencode: { protocol: openaiChat, setup: setupOpencode, clear: '\x15' },
  gemini: { protocol: gemini, setup: setupGemini, clear: '\x15' },
};

/** What each of them asks before it runs a tool. */
const DIALOG = /proceed|Would you like to run|Permission required|Allow execution/i;

const COUNT = Number(process.env.COUNT ?? 3);
/** What takes an agent of its own each time is repeated less often. */
const BUSY = Math.min(COUNT, 10);
const FEW = Array.from({ length: Math.min(COUNT, 5) }, (_, i) => [i + 1]);

/** One agent with its own machine and model. */
class Seat {
  readonly box = new Sandbox();
  readonly stub: ModelStub;
  agent!: WrappedAgent;
  readonly #subject: Subject;
  #launch: Launch | undefined;

  constructor(subject: Subject) {
    this.#subject = subject;
    this.stub = new ModelStub(subject.protocol);
  }

  async start(name: string, stateHome: string, wrap: string[] = []): Promise<this> {
    this.#launch = this.#subject.setup(this.box, await this.stub.listen());
    this.agent = new WrappedAgent(name, this.#launch, this.box, { stateHome, wrap });
    await this.agent.ready();
    return this;
  }

  /** Its wrapper is gone: the person starts it again, with the words that take up the session. */
  async resume(stateHome: string, words: readonly string[]): Promise<void> {
    const { name } = this.agent;
    await this.agent.close();
    const launch = this.#launch as Launch;
    const resumed = { ...launch, args: [...launch.args, ...words] };
    this.agent = new WrappedAgent(name, resumed, this.box, { stateHome });
    await this.agent.ready();
  }

  /**
   * How often the text stands in what the model was given: each request carries the whole conversation, and
   * an agent may put several waiting messages into one request.
   */
  arrivals(text: string): number {
    const last = this.stub.journal.filter(({ main }) => main).at(-1);
    const quoted = JSON.stringify(text).slice(1, -1);
    return last === undefined ? 0 : JSON.stringify(last.body).split(quoted).length - 1;
  }

  async arrived(text: string): Promise<void> {
    await until(
      `${JSON.stringify(text.slice(0, 80))} at the model`,
      () => this.arrivals(text) > 0,
      60_000,
    ).catch((error: Error) => {
      const log = this.agent.log.split('\n').slice(-12).join('\n');
      throw new Error(
        `${error.message}\n${this.agent.screen}\n${log}\n${JSON.stringify(this.stub.prompts.at(-1))}`,
      );
    });
  }

  async close(): Promise<void> {
    await this.agent?.close();
    await this.stub.close();
    this.box.close();
  }
}

let stateHome: string;
let seats: Seat[];

beforeEach(() => {
  stateHome = mkdtempSync(join(tmpdir(), 'agent-wrap-relay-'));
  seats = [];
});

afterEach(async () => {
  for (const seat of seats) await seat.close();
  rmSync(stateHome, { recursive: true, force: true });
});

async function seat(agent: AgentName, name: string, wrap: string[] = []): Promise<Seat> {
  const made = new Seat(SUBJECTS[agent] as Subject);
  seats.push(made);
  return made.start(name, stateHome, wrap);
}

const send = (to: string, body: string) => cli(stateHome, 'send', to, body);
const installed = (...agents: AgentName[]) => agents.every((agent) => existsSync(agentFile(agent)));

const BODIES: Record<string, (i: number) => string> = {
  'one line': (i) => `single ${i}: please look at the build, it went red after the last merge (src/a.ts:12)`,
  // No tab: Claude Code makes four spaces of one in a paste.
  'many lines': (i) => `multi ${i}\n\n  indented line\n    more\n日本語テスト 🎉\nlast line ${i}`,
  '3 KB in 62 lines': (i) =>
    Array.from({ length: 62 }, (_, n) => `big ${i} line ${n} ${'x'.repeat(36)}`).join('\n'),
  'a line of 2 KB': (i) => `long ${i} ${'word '.repeat(400)}end${i}`,
  'a body that starts with /': (i) => `/clear ${i}.`,
  'a body that starts with !': (i) => `!touch evil-${i}.`,
  'a body that ends with @name': (i) => `ask ${i}. @carol`,
};

describe.skipIf(!installed('claude', 'codex'))('two real agents of different kinds', () => {
  it('talk to each other: each message arrives at the other model whole and once', async () => {
    const ada = await seat('claude', 'ada');
    const bob = await seat('codex', 'bob');
    ada.stub.script = ({ prompt }) => {
      if (prompt.includes('please begin'))
        return { text: paced('Of course.\n\n>>relay:bob ping one from the model\n', 12, 10) };
      if (prompt.includes('pong one'))
        return 'Thanks.\n\n[[RELAY]]\n{"to":"bob","body":"ping two\\nwith *stars* and `code`","data":{"n":[1,2]}}\n[[/RELAY]]\n';
      return 'Nothing to say.';
    };
    bob.stub.script = ({ prompt }) => {
      if (prompt.includes('ping one'))
        return 'Yes:\n\n>>relay:ada pong one\n\n```\n>>relay:evil fenced\n```\n';
      if (prompt.includes('ping two')) return '>>relay:ada pong two';
      return 'Nothing to say.';
    };
    await send('ada', 'please begin');
    await bob.arrived('ping one from the model');
    await ada.arrived('pong one');
    await bob.arrived('ping two\nwith *stars* and `code`\ndata: {"n":[1,2]}');
    await ada.arrived('pong two');
    for (const text of ['please begin', 'pong one', 'pong two']) expect(ada.arrivals(text)).toBe(1);
    for (const text of ['ping one', 'ping two']) expect(bob.arrivals(text)).toBe(1);
    expect(bob.stub.prompts[0]).toMatch(/Relay message from ada \[[0-9a-f]{12}\]: ping one from the model/);
    expect(bob.agent.log + ada.agent.log).not.toContain('"to":"evil"');
  });

  it('go on when the host of the daemon is killed in the middle', async () => {
    const host = await seat('claude', 'host');
    const ada = await seat('claude', 'ada');
    const bob = await seat('codex', 'bob');
    ada.stub.script = ({ prompt }) => (prompt.includes('begin') ? '>>relay:bob after the kill' : 'Fine.');
    process.kill(host.agent.pid, 'SIGKILL');
    await until('another to take over', async () =>
      (await cli(stateHome, 'agents', '--json').catch(() => '')).includes('ada'),
    );
    await send('ada', 'begin');
    await bob.arrived('after the kill');
    expect(bob.arrivals('after the kill')).toBe(1);
  });
});

/** The sessions an agent has written into this folder, with all that is in them. */
const written = (folder: string): string =>
  (existsSync(folder) ? (readdirSync(folder, { recursive: true }) as string[]) : [])
    .filter((name) => name.endsWith('.jsonl'))
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .join('');

describe.each([
  { name: 'claude', sessions: '.claude/projects', resume: ['--continue'] },
  { name: 'codex', sessions: '.codex/sessions', resume: ['resume', '--last'] },
] as const)('a wrapper of the real $name that is killed', ({ name, sessions, resume }) => {
  it.skipIf(!installed(name))(
    'is followed by one that tells what it did not hear, and all of it once',
    async () => {
      const host = await seat('codex', 'host');
      const ada = await seat(name, 'ada');
      let answers: () => void = () => {};
      const stopped = new Promise<void>((resolve) => {
        answers = resolve;
      });
      ada.stub.script = ({ prompt }) => {
        if (prompt.includes('first errand')) return '>>relay:host heard before';
        if (!prompt.includes('second errand')) return 'Fine.';
        const text = async function* () {
          await stopped;
          yield '>>relay:host not heard at first';
        };
        return { text: text() };
      };
      await send('ada', 'first errand');
      await host.arrived('heard before');
      await send('ada', 'second errand');
      await ada.arrived('second errand');
      // It cannot hear any more, and does not end in order; its agent still writes.
      process.kill(ada.agent.pid, 'SIGSTOP');
      answers();
      await until('the record', () => written(join(ada.box.home, sessions)).includes('not heard at first'));
      process.kill(ada.agent.pid, 'SIGKILL');
      await ada.resume(stateHome, resume);
      await send('ada', 'third errand');
      await host.arrived('not heard at first');
      await send('ada', 'fourth errand');
      await ada.arrived('fourth errand');
      expect(host.arrivals('heard before')).toBe(1);
      expect(host.arrivals('not heard at first')).toBe(1);
    },
  );
});

for (const [name, subject] of Object.entries(SUBJECTS) as [AgentName, Subject][]) {
  describe.skipIf(!installed(name))(`speaking to the real ${name}`, () => {
    it.each(Object.entries(BODIES))(
      `idle: %s arrives whole and once, ${COUNT} times`,
      async (_kind, body) => {
        const bob = await seat(name, 'bob');
        for (let i = 0; i < COUNT; i++) {
          await send('bob', body(i));
          await bob.arrived(body(i));
        }
        for (let i = 0; i < COUNT; i++) expect(bob.arrivals(body(i))).toBe(1);
        expect(bob.stub.prompts).toHaveLength(COUNT);
        expect(existsSync(join(bob.box.cwd, 'evil-0'))).toBe(false);
      },
    );

    it(`busy: ${BUSY} that come during an answer arrive after it or in its queue, and cut nothing`, async () => {
      const bob = await seat(name, 'bob');
      bob.stub.script = ({ prompt }) =>
        prompt.includes('a long story') ? { text: paced('slow words. '.repeat(30), 12, 100) } : 'Fine.';
      await send('bob', 'tell me a long story');
      await bob.arrived('tell me a long story');
      await bob.agent.shows(/slow words/);
      for (let i = 0; i < BUSY; i++) await send('bob', `while busy ${i}.`);
      for (let i = 0; i < BUSY; i++) await bob.arrived(`while busy ${i}.`);
      for (let i = 0; i < BUSY; i++) expect(bob.arrivals(`while busy ${i}.`)).toBe(1);
      expect(bob.stub.journal.filter(({ outcome }) => outcome === 'cut')).toEqual([]);
    });

    it.each(FEW)('a draft is neither submitted nor merged nor lost, %i', async () => {
      const bob = await seat(name, 'bob', ['--inject', 'keys']);
      await send('bob', 'first, so that it is warm');
      await bob.arrived('so that it is warm');
      bob.agent.type('half a thought');
      await bob.agent.shows(/half a thought/);
      await send('bob', 'into the draft?');
      await bob.agent.logs('"reason":"draft"');
      expect(bob.agent.screen).toContain('half a thought');
      bob.agent.type(subject.clear);
      await bob.arrived('into the draft?');
      expect(bob.stub.prompts.join('\n')).not.toContain('half a thought');
      expect(bob.arrivals('into the draft?')).toBe(1);
    });

    it.each(FEW)('a dialog is not answered, %i', async () => {
      const bob = await seat(name, 'bob', ['--inject', 'keys']);
      const trace = join(bob.box.cwd, 'trace.txt');
      bob.stub.script = ({ prompt, toolResult }) =>
        prompt.includes('use the tool') && toolResult === undefined
          ? { text: 'I will.', shell: `touch ${trace}` }
          : 'Fine.';
      await send('bob', 'use the tool');
      await bob.arrived('use the tool');
      await until('the dialog', () => DIALOG.test(bob.agent.screen));
      await send('bob', 'into the dialog?');
      await bob.agent.logs('"reason":"dialog"');
      expect(bob.agent.screen).toMatch(DIALOG);
      bob.agent.type('\x1b');
      await bob.arrived('into the dialog?');
      expect(existsSync(trace)).toBe(false);
      expect(bob.arrivals('into the dialog?')).toBe(1);
    });
  });
}
