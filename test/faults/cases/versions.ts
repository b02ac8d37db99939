/** Old and new versions of agent-wrap meet on one relay. P20, P5. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { COMMAND, OuterTerminal } from '../../helpers/outer-terminal.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { DaemonProcess, relayDirectory, withState } from '../daemon-process.ts';
import type { Fault } from '../fault.ts';
import { NEWER, withNewer } from '../newer-version.ts';
import { judge, Sender, Tally } from '../sender.ts';

const AGENT = resolve(import.meta.dirname, '../../../fixtures/agents/echo-agent.mjs');

type Command = readonly string[];

export const fault: Fault = {
  name: 'versions',
  criterion:
    'a newer store is refused with a message a person understands, before election and before a living leader is ' +
    'deposed, and stays as it is; who cannot read it joins all the same; another protocol version is said, not guessed',
  run: ({ size, amount }) =>
    withState(async (scratch) => {
      const tally = new Tally();
      const asleepMs = amount('asleep-s', { quick: 0, usual: 20, full: 30 }) * 1_000;
      await withNewer({ store: true }, async (newer) => {
        await deadLeader(newer, join(scratch, 'dead'), tally);
        await livingLeader(newer, join(scratch, 'living'), size === 'quick' ? 0 : asleepMs, tally);
      });
      await withNewer({ protocol: true }, async (newer) => {
        await otherProtocol('new daemon, old wrapper', newer, COMMAND, join(scratch, 'protocol-1'), tally);
        await otherProtocol('old daemon, new wrapper', COMMAND, newer, join(scratch, 'protocol-2'), tally);
      });
      return tally.figures;
    }),
};

/** A newer leader was killed: an older version must not follow it. */
async function deadLeader(newer: Command, state: string, tally: Tally): Promise<void> {
  mkdirSync(state);
  const leader = await DaemonProcess.startBy(newer, state);
  const sender = await Sender.join(state);
  await sender.sendAll(20);
  sender.close();
  await leader.kill();
  const before = listing(state);
  const older = await DaemonProcess.start(state);
  if (older.alive || !/STORE_TOO_NEW[\s\S]*update agent-wrap/.test(older.said)) {
    tally.wrong.push(`an older daemon says: ${older.said}`);
  }
  if (listing(state) !== before) tally.wrong.push(`it changed the directory: ${before} → ${listing(state)}`);
  const again = await DaemonProcess.startBy(newer, state);
  tally.stored += sender.stored.length;
  tally.add('newer store', judge(await again.inbox(), sender.stored));
  await again.kill();
}

/** A newer leader lives, sleeps and dies; an older wrapper joins it and never takes its place. */
async function livingLeader(newer: Command, state: string, asleepMs: number, tally: Tally): Promise<void> {
  mkdirSync(state);
  const leader = await DaemonProcess.startBy(newer, state);
  const { terminal, log } = wrapped(COMMAND, state);
  try {
    await waitFor(() => log().includes('"state":"ready"'), 'the older wrapper to join', 60_000);
    const answer = run(COMMAND, state, 'doctor');
    if (!answer.includes(`version ${NEWER}`)) tally.wrong.push(`doctor does not name the version: ${answer}`);
    if (asleepMs > 0) {
      const began = performance.now();
      leader.child.kill('SIGSTOP');
      await waitFor(() => log().includes('STORE_TOO_NEW'), 'the older wrapper to refuse to lead', 120_000);
      await waitFor(() => performance.now() - began > asleepMs, 'the sleep to be over', asleepMs + 1_000);
      leader.child.kill('SIGCONT');
      const ready = log().split('"state":"ready"').length;
      await waitFor(() => log().split('"state":"ready"').length > ready, 'the wrapper to be back', 60_000);
    }
    await leader.kill();
    await waitFor(() => log().includes('STORE_TOO_NEW'), 'the older wrapper to say why nobody leads', 60_000);
    const sockets = readdirSync(relayDirectory(state)).filter((name) => /\d\.sock$/.test(name));
    if (sockets.join() !== 'relay.0000000001.sock')
      tally.wrong.push(`an older wrapper stood for election: ${sockets}`);
    const ready = log().split('"state":"ready"').length;
    const next = await DaemonProcess.startBy(newer, state);
    await waitFor(
      () => log().split('"state":"ready"').length > ready,
      'the wrapper to join the next leader',
      60_000,
    );
    await next.kill();
    tally.runs++;
  } finally {
    terminal.write('\x03');
    await terminal.end();
    await terminal.dispose();
  }
}

async function otherProtocol(
  what: string,
  daemon: Command,
  wrapper: Command,
  state: string,
  tally: Tally,
): Promise<void> {
  mkdirSync(state);
  const leader = await DaemonProcess.startBy(daemon, state);
  const { terminal, log } = wrapped(wrapper, state);
  try {
    await waitFor(
      () => /UNSUPPORTED_VERSION.*same version of agent-wrap/.test(log()),
      `${what}: to be said`,
      60_000,
    );
    terminal.write('still here\r');
    await terminal.see('heard: still here');
    if (!leader.alive) tally.wrong.push(`${what}: the daemon ended: ${leader.said}`);
    const sockets = readdirSync(relayDirectory(state)).filter((name) => /\d\.sock$/.test(name));
    if (sockets.length !== 1) tally.wrong.push(`${what}: somebody was deposed: ${sockets}`);
    tally.runs++;
  } finally {
    terminal.write('\x03');
    await terminal.end();
    await terminal.dispose();
    await leader.kill();
  }
}

const environment = (state: string) => ({
  ...process.env,
  HOME: state,
  XDG_STATE_HOME: state,
  AGENT_RELAY_TOKEN: undefined,
});

function wrapped(command: Command, state: string) {
  const file = join(state, 'wrapper.log');
  const options = ['--name', 'ada', '--log-file', file, '--log-level', 'debug'];
  const terminal = new OuterTerminal([...command, ...options, process.execPath, AGENT], {
    env: environment(state),
    cols: 200,
  });
  return { terminal, log: () => (existsSync(file) ? readFileSync(file, 'utf8') : '') };
}

function run([file = '', ...leading]: Command, state: string, ...args: string[]): string {
  const env = { ...environment(state), PATH: '/usr/bin:/bin' };
  try {
    return execFileSync(file, [...leading, ...args], { env, encoding: 'utf8' });
  } catch (error) {
    return (error as { stdout: string }).stdout; // doctor found something, and exits 1
  }
}

/** Everything in the relay's directory, with its sizes. */
function listing(state: string): string {
  const root = relayDirectory(state);
  const names = readdirSync(root, { recursive: true, encoding: 'utf8' }).sort();
  return names
    .map((name) => `${name}:${statSync(join(root, name), { throwIfNoEntry: false })?.size}`)
    .join(' ');
}
