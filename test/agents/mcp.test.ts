/** The relay's MCP tools in real agents, added by `--mcp` for one run. Issue 5. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { anthropic } from '../../fixtures/models/anthropic.ts';
import { openaiResponses } from '../../fixtures/models/openai-responses.ts';
import { type ModelProtocol, ModelStub } from '../../fixtures/models/stub.ts';
import { type AgentName, usable } from './install.ts';
import { type Launch, Sandbox } from './sandbox.ts';
import { setupClaude } from './setup-claude.ts';
import { setupCodex } from './setup-codex.ts';
import { until } from './until.ts';
import { cli, WrappedAgent } from './wrapped-agent.ts';

interface Subject {
  protocol: ModelProtocol;
  setup(box: Sandbox, modelUrl: string): Launch;
  /** Under which name its model calls relay_send. */
  tool: { name: string; namespace?: string };
}

const SUBJECTS: Partial<Record<AgentName, Subject>> = {
  claude: { protocol: anthropic, setup: setupClaude, tool: { name: 'mcp__relay__relay_send' } },
  codex: {
    protocol: openaiResponses,
    setup: setupCodex,
    tool: { name: 'relay_send', namespace: 'mcp__relay' },
  },
};

let stateHome: string;
let box: Sandbox;
let stub: ModelStub;
let bob: WrappedAgent;
beforeEach(() => {
  stateHome = mkdtempSync(join(tmpdir(), 'agent-wrap-mcp-'));
  box = new Sandbox();
});
afterEach(async () => {
  await bob.close();
  await stub.close();
  box.close();
  rmSync(stateHome, { recursive: true, force: true });
});

/** The command lines of all processes that we may see. */
const argvs = (): string =>
  readdirSync('/proc')
    .filter((name) => /^[0-9]+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'latin1');
      } catch {
        return '';
      }
    })
    .join('\n');

for (const [name, subject] of Object.entries(SUBJECTS) as [AgentName, Subject][]) {
  describe.skipIf(!usable(name))(`agent-wrap --mcp ${name}`, () => {
    it('its model is offered the tools, calls relay_send without a question, and reads the CommandResult', async () => {
      stub = new ModelStub(subject.protocol, ({ prompt, toolResult }) =>
        prompt.includes('greet the person') && toolResult === undefined
          ? { text: 'I will.', tool: { ...subject.tool, input: { to: 'user', body: 'hello by a tool' } } }
          : 'Done.',
      );
      const launch = subject.setup(box, await stub.listen());
      bob = new WrappedAgent('bob', launch, box, { stateHome, wrap: ['--mcp'] });
      await bob.ready();
      await cli(stateHome, 'send', 'bob', 'greet the person');
      const asked = await stub.waitFor(
        ({ main, prompt }) => main && prompt.includes('greet the person'),
        60_000,
      );
      const tools = JSON.stringify(asked.body.tools);
      for (const tool of ['relay_send', 'relay_poll', 'relay_agents', 'relay_status']) {
        expect(tools).toContain(tool);
      }
      const result = await stub
        .waitFor(({ toolResult }) => toolResult !== undefined, 60_000)
        .catch((error: Error) => {
          throw new Error(`${error.message}\n${bob.screen}`);
        });
      expect(result.toolResult).toMatch(/success\\*": ?true/);
      await until('the message', async () =>
        (await cli(stateHome, 'call', 'relay-poll')).includes('"from":"bob"'),
      );
      expect(argvs()).not.toMatch(/\ba[hrs]_[A-Za-z0-9_-]{16,}/);
    });
  });
}
