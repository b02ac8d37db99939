/** `agent-wrap send --wait-reply`: a question of the person and the agent's answer. docs/people.md. */
import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { COMMAND, FILE, LEADING, OuterTerminal } from '../helpers/outer-terminal.ts';
import { Place } from '../helpers/place.ts';
import { waitFor } from '../helpers/wait-for.ts';

const AGENT = resolve(import.meta.dirname, '../../fixtures/agents/echo-agent.mjs');

let place: Place;
let bob: OuterTerminal;
beforeEach(async () => {
  place = new Place();
  bob = new OuterTerminal([...COMMAND, '--name', 'bob', '--', process.execPath, AGENT], {
    env: env(),
    cols: 200,
  });
  await bob.see(/ready/);
  await waitFor(async () => (await cli('agents')).stdout.includes('bob'), 'bob to join');
});
afterEach(async () => {
  await bob.dispose();
  await place.remove();
});

const env = () => ({
  ...process.env,
  ...place.env,
  AGENT_RELAY_TOKEN: undefined,
  AGENT_RELAY_NAME: undefined,
});

async function cli(...words: string[]) {
  const child = spawn(FILE, [...LEADING, ...words], { env: env(), stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise<number | null>((done) => child.on('close', done));
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { stdout, stderr, code };
}

describe('agent-wrap send --wait-reply', () => {
  it('prints the answer and nothing that was there before or comes from others', async () => {
    bob.write('say >>relay:user something old\n');
    await waitFor(
      async () => (await cli('call', 'relay-status')).stdout.includes('"waiting":1'),
      'the old one',
    );
    const asked = cli('send', 'bob', '--wait-reply', '--timeout', '30', 'is it green?');
    await bob.see(/heard: Relay message from user \[\w+\]: is it green/);
    bob.write('say >>relay:user it is green\n');
    expect(await asked).toEqual({ stdout: 'it is green\n', stderr: '', code: 0 });
  });

  it('takes each answer out of the inbox once, whatever else waits there, and nothing else', async () => {
    const answer = async (question: string) => {
      const asked = cli('send', 'bob', '--wait-reply', '--timeout', '30', '--json', question);
      await bob.see(new RegExp(`heard: Relay message from user \\[\\w+\\]: ${question}`));
      bob.write('say >>relay:user well\n');
      expect(JSON.parse((await asked).stdout)).toMatchObject({ from: 'bob', body: 'well' });
      return (await cli('call', 'relay-status')).stdout;
    };
    expect(await answer('first one')).toContain('"waiting":0');
    bob.write('say >>relay:user by the way\n');
    await waitFor(async () => (await cli('call', 'relay-status')).stdout.includes('"waiting":1'), 'another');
    expect(await answer('second one')).toContain('"waiting":1');
    expect(await answer('third one')).toContain('"waiting":1');
    const { stdout } = await cli('call', 'relay-poll');
    expect(JSON.parse(stdout).data.messages).toMatchObject([{ body: 'by the way' }]);
  });

  it('gives up after its time, with an exit code of its own', async () => {
    const asked = await cli('send', 'bob', '--wait-reply', '--timeout', '0.3', 'are you there?');
    expect(asked).toMatchObject({ stdout: '', stderr: expect.stringContaining('[TIMEOUT]'), code: 3 });
  });

  it('needs one agent that can answer', async () => {
    expect(await cli('send', '*', '--wait-reply', 'all?')).toMatchObject({ code: 2 });
    expect(await cli('send', '--topic', 'build', '--wait-reply', 'all?')).toMatchObject({ code: 2 });
  });
});
