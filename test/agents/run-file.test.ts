/** The pairings of docs/examples that need real agents, by `agent-wrap run`, as CI would run them. Issue 3. */
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { anthropic } from '../../fixtures/models/anthropic.ts';
import { openaiResponses } from '../../fixtures/models/openai-responses.ts';
import { ModelStub } from '../../fixtures/models/stub.ts';
import { agentFile, usable } from './install.ts';
import { Sandbox } from './sandbox.ts';
import { setupClaude } from './setup-claude.ts';
import { setupCodex } from './setup-codex.ts';
import { CLI } from './wrapped-agent.ts';

const EXAMPLES = resolve(import.meta.dirname, '../../docs/examples');

describe.skipIf(!usable('claude', 'codex'))('agent-wrap run with the real claude and codex', () => {
  let box: Sandbox;
  let writer: ModelStub;
  let reviewer: ModelStub;
  let env: Record<string, string>;

  beforeEach(async () => {
    box = new Sandbox();
    writer = new ModelStub(anthropic);
    reviewer = new ModelStub(openaiResponses);
    const claude = setupClaude(box, await writer.listen());
    const codex = setupCodex(box, await reviewer.listen());
    // The examples name the agents as a person does.
    const bin = join(box.root, 'bin');
    mkdirSync(bin);
    for (const name of ['claude', 'codex'] as const) symlinkSync(agentFile(name), join(bin, name));
    env = { ...claude.env, ...codex.env, PATH: `${bin}:${box.env.PATH}`, CI: 'true' };
    cpSync(EXAMPLES, box.cwd, { recursive: true });
  });
  afterEach(async () => {
    await writer.close();
    await reviewer.close();
    box.close();
  });

  /** The exit code, what it said, and each message with its sender and recipient. */
  async function run(file: string) {
    const out = join(box.root, 'out');
    const args = [CLI, 'run', '--out', out, join(box.cwd, file)];
    const { code, stderr } = await promisify(execFile)(process.execPath, args, { env }).then(
      ({ stderr }) => ({ code: 0, stderr }),
      (error: { code: number; stderr: string }) => error,
    );
    const messages = readFileSync(join(out, 'messages.jsonl'), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { from: string; to: string; body: string });
    return { code, stderr, messages: messages.map(({ from, to, body }) => [from, to, body]) };
  }

  it('writer-and-reviewer.yaml: they talk until the reviewer is content', async () => {
    writer.script = ({ prompt }) => {
      if (prompt.includes('POSIX shell function')) return 'Done.\n\n>>relay:reviewer longest.sh is ready\n';
      return prompt.includes('CHANGE') ? '>>relay:reviewer quoted, look again' : 'Nothing to say.';
    };
    reviewer.script = ({ prompt }) => {
      if (prompt.includes(']: longest.sh is ready')) return '>>relay:writer CHANGE: quote "$1"';
      return prompt.includes('look again') ? '>>relay:writer APPROVED' : 'I wait.';
    };
    const { code, stderr, messages } = await run('writer-and-reviewer.yaml');
    expect({ code, stderr }).toMatchObject({ code: 0 });
    const said = messages.filter(([from]) => from !== 'user');
    expect(said).toEqual([
      ['writer', 'reviewer', 'longest.sh is ready'],
      ['reviewer', 'writer', 'CHANGE: quote "$1"'],
      ['writer', 'reviewer', 'quoted, look again'],
      ['reviewer', 'writer', 'APPROVED'],
    ]);
  });

  it('writer-and-reviewer-print.yaml: each is heard in its print mode', async () => {
    writer.script = () => ">>relay:reviewer awk 'length > m { m = length; l = $0 } END { print l }'";
    reviewer.script = ({ prompt }) =>
      prompt.includes('awk') ? '>>relay:user APPROVED' : '>>relay:user CHANGE everything';
    const { code, stderr, messages } = await run('writer-and-reviewer-print.yaml');
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(messages.filter(([from]) => from !== 'user')).toEqual([
      ['writer', 'reviewer', "awk 'length > m { m = length; l = $0 } END { print l }'"],
      ['reviewer', 'user', 'APPROVED'],
    ]);
  });
});
