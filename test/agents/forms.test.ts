/** However a person starts an agent, it is known and heard, and left as it is. Issue 3. */
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { agentFile, usable } from './install.ts';
import type { Launch, Sandbox } from './sandbox.ts';
import { type Seat, SUBJECTS, Table, type WrappedName } from './seat.ts';
import { until } from './until.ts';
import type { WrappedAgent } from './wrapped-agent.ts';

const table = new Table();
const NAMES = Object.keys(SUBJECTS) as WrappedName[];

/** Arguments with which each answers once and ends. */
const PRINT: Record<WrappedName, string[]> = {
  claude: ['-p', 'say hello'],
  codex: ['exec', '--skip-git-repo-check', 'say hello'],
  opencode: ['run', 'say hello'],
  gemini: ['-p', 'say hello'],
};

const ANSWER = 'Hello.\n\n>>relay:host from its model\n\n```\n>>relay:host fenced\n```\n';

async function hears(host: WrappedAgent, { agent }: Seat): Promise<void> {
  await host.shows(/Relay message from ada \[\w+\]: from its model/).catch((error: Error) => {
    throw new Error(`${error.message}\n${agent.screen}\n${agent.log}`);
  });
  expect(host.screen).not.toContain('fenced');
}

describe.each(NAMES)('agent-wrap %s in its print mode', (name) => {
  it.skipIf(!usable(name))('says and ends as without us, and its directives arrive', async () => {
    const host = await table.listener('host');
    const ada = await table.begin(name, 'ada', {
      script: () => ANSWER,
      // It has no server then, and prints what tools say as it prints what its model says.
      wrap: name === 'opencode' ? ['--speech', 'screen'] : [],
      // --no-daemon is for Codex's terminal interface.
      launch: (launch) => ({
        ...launch,
        args: [...launch.args.filter((arg) => arg !== '--no-daemon'), ...PRINT[name]],
      }),
    });
    await until('it to end', () => ada.agent.exit !== undefined).catch((error: Error) => {
      throw new Error(`${error.message}\n${ada.agent.screen}\n${ada.agent.log}`);
    });
    expect([ada.agent.exit, ada.agent.screen]).toEqual([0, expect.stringContaining('Hello.')]);
    await hears(host, ada);
  });
});

/** `npx NAME` finds it in the project. */
function byNpx(name: string, launch: Launch, box: Sandbox): Launch {
  const bin = join(box.cwd, 'node_modules', '.bin');
  mkdirSync(bin, { recursive: true });
  if (name === 'gemini') {
    const words = [launch.file, ...launch.args].map((word) => `'${word}'`).join(' ');
    writeFileSync(join(bin, name), `#!/bin/sh\nexec ${words} "$@"\n`);
    chmodSync(join(bin, name), 0o755);
    return { ...launch, file: 'npx', args: [name] };
  }
  symlinkSync(launch.file, join(bin, name));
  return { ...launch, file: 'npx', args: [name, ...launch.args] };
}

/** A script of the person's around it, whose name tells nothing. */
function byScript(launch: Launch, box: Sandbox): Launch {
  const file = join(box.root, 'my-agent.sh');
  const words = [launch.file, ...launch.args].map((word) => `'${word}'`).join(' ');
  writeFileSync(file, `#!/bin/sh\nexec ${words} "$@"\n`);
  chmodSync(file, 0o755);
  return { ...launch, file, args: [] };
}

describe.each(NAMES)('agent-wrap and %s', (name) => {
  const answers = async (wrap: string[], launch: (launch: Launch, box: Sandbox) => Launch) => {
    const host = await table.listener('host');
    const ada = await table.seat(name, 'ada', { wrap, launch, script: () => ANSWER });
    await table.send('ada', 'say hello');
    await ada.arrived('say hello');
    await hears(host, ada);
    expect(ada.stub.prompts[0]).toMatch(/Relay message from user/);
  };

  it.skipIf(!usable(name))('as npx starts it', () => answers([], (launch, box) => byNpx(name, launch, box)));

  it.skipIf(!usable(name))('behind a script, with --profile', () => answers(['--profile', name], byScript));
});

describe.skipIf(!usable('codex'))('agent-wrap codex', () => {
  it('found by its name', async () => {
    const host = await table.listener('host');
    const folder = dirname(agentFile('codex'));
    const ada = await table.seat('codex', 'ada', {
      script: () => ANSWER,
      launch: ({ args, env }) => ({ file: 'codex', args, env: { ...env, PATH: `${folder}:${env.PATH}` } }),
    });
    await table.send('ada', 'say hello');
    await hears(host, ada);
  });
});
