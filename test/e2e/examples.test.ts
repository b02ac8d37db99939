/** Each command's help has examples, and they work as printed. Issue "Teams". */
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadProgram, type Program } from '../../src/cli/program.ts';
import { pickSubcommand, SUBCOMMANDS } from '../../src/cli/subcommands.ts';
import { COMMAND, OuterTerminal } from '../helpers/outer-terminal.ts';
import { Place } from '../helpers/place.ts';
import { waitFor } from '../helpers/wait-for.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const program = await loadProgram(SUBCOMMANDS);
const commands = [
  { name: 'agent-wrap', command: program.wrap },
  ...program.subcommands.map(({ name, command }) => ({ name: `agent-wrap ${name}`, command })),
];
const examples = commands.flatMap(({ command }) => examplesOf(command).map((line) => ({ line })));

/** What is only parsed here, and why. */
const NOT_RUN: readonly { which: RegExp; why: string }[] = [
  { which: /^agent-wrap (--|claude)/, why: 'wraps what it is given until that ends: other tests' },
  { which: /mcp add relay/, why: 'a command of the agent’s own' },
  { which: /^agent-wrap tmux/, why: 'opens a session: test/integration/tmux-team.test.ts' },
  { which: /^agent-wrap watch/, why: 'needs a terminal: watch.test.ts' },
  { which: /^agent-wrap daemon/, why: 'hosts until it is ended: test/integration/daemon' },
  { which: /--follow/, why: 'follows until it is ended' },
  { which: /3f2a/, why: 'the id of a message that is not there' },
  { which: /^agent-wrap doctor/, why: 'its exit code says how this machine is' },
  { which: /completions (zsh|fish)/, why: 'for a shell that is not everywhere' },
];
const whyNot = (line: string) => NOT_RUN.find(({ which }) => which.test(line))?.why;

/** The lines below `Examples:`, without what explains them at their right. */
function examplesOf(command: Command): string[] {
  const written: string[] = [];
  command
    .configureOutput({ ...command.configureOutput(), writeOut: (more) => void written.push(more) })
    .outputHelp();
  const block = /^Examples:\n((?: {2}.*\n?)+)/m.exec(written.join(''))?.[1] ?? '';
  return block
    .split('\n')
    .flatMap((line) => (line.trim() === '' ? [] : [line.trim().replace(/ {3,}.*$/, '')]));
}

/** Takes what the command is to do out of it: what is left parses. */
function disarm(command: Command): void {
  command.action(() => {});
  for (const each of command.commands) disarm(each);
}

/** The words agent-wrap would get: the shell is real, only agent-wrap is not. */
function wordsOf(line: string): string[] {
  const shim = `agent-wrap() { printf '%s\\0' "$@" > words; echo ':'; }
    git() { echo diff; }; man() { cat; }; mkdir -p ~/.local/share/man/man1
    claude() { while [ "$1" != -- ]; do shift; done; shift; "$@"; }; codex() { claude "$@"; }`;
  const { stderr } = spawnSync('bash', ['-c', `cd "$HOME"; ${shim}\n${line}`], {
    env: { PATH: process.env.PATH, HOME: home },
    encoding: 'utf8',
  });
  // fish's `| source` is no bash, but agent-wrap was called before it.
  if (!line.endsWith('| source')) expect(stderr).toBe('');
  return readFileSync(join(home, 'words'), 'utf8').split('\0').slice(0, -1);
}

let place: Place;
let home: string;
let bob: OuterTerminal;
const env = () => ({
  ...place.env,
  PATH: `${join(home, 'bin')}:${process.env.PATH}`,
  HOME: home,
  TMPDIR: process.env.TMPDIR,
});

beforeAll(async () => {
  place = new Place();
  home = join(place.state, 'home');
  cpSync(join(ROOT, 'docs/examples'), join(home, 'docs/examples'), { recursive: true });
  mkdirSync(join(home, '.local/share/man/man1'), { recursive: true });
  mkdirSync(join(home, 'bin'));
  const script = (name: string, body: string) => {
    writeFileSync(join(home, 'bin', name), `#!/bin/sh\n${body}\n`);
    chmodSync(join(home, 'bin', name), 0o755);
  };
  script('agent-wrap', `exec ${COMMAND.map((word) => `'${word}'`).join(' ')} "$@"`);
  script('git', 'echo "- old\n+ new"');
  writeFileSync(join(home, 'answer.md'), '>>relay:bob hello\n');
  writeFileSync(join(home, 'session.log'), '>>relay:bob hello\r\n');
  copyFileSync(join(ROOT, 'fixtures/casts/claude-startup-80x24.cast'), join(home, 'session.cast'));
  const ends = { name: 'ada', command: ['sh', '-c', 'exit 0'] };
  writeFileSync(join(home, 'pairing.yaml'), JSON.stringify({ agents: [ends], until: [{ exited: 'all' }] }));
  const answering = `
    const lines = require('node:readline').createInterface({ input: process.stdin });
    lines.on('line', (line) => line.includes('green?') && console.log('>>relay:user it is'));
    console.log('ready');`;
  const words = ['--name', 'bob', '--topic', 'build', '--', process.execPath, '-e', answering];
  bob = new OuterTerminal([...COMMAND, ...words], { env: env(), cols: 200, cwd: home });
  await bob.see(/ready/);
  await waitFor(async () => (await run('agent-wrap agents')).stdout.includes('bob'), 'bob to join');
});
afterAll(async () => {
  await bob.dispose();
  await place.remove();
});

async function run(line: string) {
  const child = spawn('bash', ['-c', line], { cwd: home, env: env(), stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise<number | null>((done) => child.on('close', done));
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { stdout, stderr, code };
}

describe('the help', () => {
  it.each(commands)('of $name has examples of it', ({ name, command }) => {
    const lines = examplesOf(command);
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.filter((line) => !line.includes('agent-wrap'))).toEqual([]);
    expect(lines.some((line) => line.includes(name.replace(/ mcp$/, '')))).toBe(true);
  });
});

describe('an example of the help', () => {
  let fresh: Program;
  beforeAll(async () => {
    fresh = await loadProgram(SUBCOMMANDS);
    for (const { command } of [{ command: fresh.wrap }, ...fresh.subcommands]) disarm(command);
  });

  it.each(examples)('is what agent-wrap takes: $line', async ({ line }) => {
    const words = wordsOf(line);
    const name = pickSubcommand(words);
    const command = fresh.subcommands.find((each) => each.name === name)?.command;
    await (command ?? fresh.wrap).parseAsync(command === undefined ? words : words.slice(1), {
      from: 'user',
    });
  });

  it.each(examples.filter(({ line }) => whyNot(line) === undefined))('works: $line', async ({ line }) => {
    const { code, stderr } = await run(line);
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
  });

  it('is left out for a reason that still holds', () => {
    expect(NOT_RUN.filter(({ which }) => !examples.some(({ line }) => which.test(line)))).toEqual([]);
  });
});
