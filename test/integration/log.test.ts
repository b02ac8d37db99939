/** `agent-wrap log` as a person uses it: beside a real daemon, in a pipe, while the leader changes. */
import { type ChildProcess, spawn } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FILE, LEADING } from '../helpers/outer-terminal.ts';
import { RelayHome } from '../helpers/relay-home.ts';
import { waitFor } from '../helpers/wait-for.ts';

let home: RelayHome;
const followers: ChildProcess[] = [];
beforeAll(async () => {
  home = new RelayHome();
  await home.startDaemon();
});
afterAll(async () => {
  for (const follower of followers) follower.kill('SIGKILL');
  await home.remove();
});

function follow(...args: string[]) {
  const child = spawn(FILE, [...LEADING, 'log', '--follow', ...args], { env: home.env, stdio: 'pipe' });
  followers.push(child);
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].on('data', (bytes) => {
      said[name] += bytes;
    });
  }
  const sees = (text: string) =>
    waitFor(
      () => said.stdout.includes(text),
      () => `${text} in ${JSON.stringify(said)}`,
    );
  return { child, said, sees };
}

const send = (to: string, body: string, ...more: string[]) => home.cli('send', to, body, ...more);

describe('agent-wrap log', () => {
  it('shows every message, or the last so many, with its secrets only if asked', async () => {
    const bodies = Array.from({ length: 120 }, (_, i) => `many-${i} ${'x'.repeat(1_000)}`);
    const lines = bodies.map((body) =>
      JSON.stringify({ method: 'relay-send', params: { to: 'many', body } }),
    );
    await home.run(process.execPath, ['-e', SEND_ALL, `${home.directory}/relay.sock`], {
      input: lines.join('\n'),
    });
    const shown = async (...args: string[]) =>
      (await home.cli('log', '--to', 'many', '--json', ...args)).stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line).body);
    expect(await shown()).toEqual(bodies);
    expect(await shown('--last', '2')).toEqual(bodies.slice(-2));
    await send('keys', 'password=hunter2hunter2');
    expect((await home.cli('log', '--to', 'keys')).stdout).toContain('password=[secret]');
    expect((await home.cli('log', '--to', 'keys', '--json')).stdout).not.toContain('hunter2');
    expect((await home.cli('log', '--to', 'keys', '--secrets')).stdout).toContain('hunter2hunter2');
    expect((await home.cli('inbox', 'keys')).stdout).toContain('hunter2hunter2');
  });

  it('ends without a word when nobody reads it any more', async () => {
    const ran = await home.run('bash', ['-c', 'set -o pipefail; agent-wrap log --json | head -1']);
    expect(ran).toMatchObject({ code: 0, stderr: '', stdout: expect.stringMatching(/^\{.*\}\n$/) });
  });

  it.each([
    [['--since', 'banana'], '--since takes'],
    [['--last', '0'], '--last takes'],
    [['--mermaid', '--follow'], '--mermaid draws'],
  ])('refuses %j with a word on what it takes', async (args, said) => {
    expect(await home.cli('log', ...args)).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining(said),
    });
  });

  it('follows a topic with the fates of its messages', async () => {
    const { sees } = follow('--topic', 'work');
    await send('gone', 'brief', '--topic', 'work', '--ttl', '1');
    await sees('user → gone  dead EXPIRED');
  });

  it('goes on with the next leader: nothing is missed, nothing comes twice', async () => {
    const { child, said, sees } = follow('--to', 'dora', '--json');
    await send('dora', 'before');
    await sees('before');
    // Asleep, it hears of all this only by looking back.
    child.kill('SIGSTOP');
    await home.killDaemon();
    await home.startDaemon();
    await send('dora', 'meanwhile');
    child.kill('SIGCONT');
    await sees('meanwhile');
    await send('dora', 'after');
    await sees('after');
    await home.killDaemon();
    await waitFor(() => said.stderr.includes('waiting for the next leader'), 'it to say that it waits');
    await home.startDaemon();
    const bodies = said.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).body);
    expect(bodies).toEqual(['before', 'meanwhile', 'after']);
  });
});

/** Posts each line of stdin to the socket, one after the other. */
const SEND_ALL = `
const { request } = require('node:http');
(async () => {
  for (const line of require('node:fs').readFileSync(0, 'utf8').split('\\n')) {
    await new Promise((done) => request({ socketPath: process.argv[1], path: '/rpc', method: 'POST' }, (answer) => answer.resume().on('end', done)).end(line));
  }
})();`;
