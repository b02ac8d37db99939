/** A real `agent-wrap daemon` (the bundle) in a state directory, and what is asked of it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { callRpc } from '../../src/client/rpc.ts';
import { COMMAND } from '../helpers/outer-terminal.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { exited } from './leaders.ts';
import { PersonInbox } from './person-inbox.ts';

/** The relay's directory in a state directory, P19. */
export const relayDirectory = (state: string): string =>
  join(state, 'agent-relay', `default@${hostname().replace(/[^A-Za-z0-9.-]/g, '-')}`);

/** Makes the relay's directory as the product would, to put a store there before its first daemon. */
export function makeRelayDirectory(state: string): string {
  const directory = relayDirectory(state);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  return directory;
}

const running = new Set<DaemonProcess>();

/** Removes it; false while somebody still writes there. */
export function removed(path: string): boolean {
  try {
    rmSync(path, { recursive: true, force: true });
    return true;
  } catch {
    return false;
  }
}

/** Calls `use` with a state directory that is removed afterwards; daemons still running there are killed. */
export async function withState<T>(use: (state: string) => Promise<T>): Promise<T> {
  const state = mkdtempSync(join(tmpdir(), 'agent-wrap-fault-'));
  try {
    return await use(state);
  } finally {
    for (const daemon of running) if (daemon.state.startsWith(state)) await daemon.kill();
    await waitFor(() => removed(state), 'the state directory to be quiet', 30_000).catch(() => {});
  }
}

export class DaemonProcess {
  readonly child: ChildProcess;
  readonly state: string;
  /** What it has said on stdout and stderr. */
  said = '';

  private constructor(child: ChildProcess, state: string) {
    this.child = child;
    this.state = state;
    running.add(this);
    child.once('exit', () => running.delete(this));
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (bytes) => {
        this.said += bytes;
      });
    }
  }

  /** Starts it, and waits until it listens or has ended. */
  static start(state: string, env: Record<string, string> = {}, ...args: string[]): Promise<DaemonProcess> {
    return DaemonProcess.startBy(COMMAND, state, env, ...args);
  }

  /** The same by another command: another version, or ours behind prlimit or nice. */
  static async startBy(
    command: readonly string[],
    state: string,
    env: Record<string, string> = {},
    ...args: string[]
  ): Promise<DaemonProcess> {
    const { PATH = '' } = process.env;
    const [file = '', ...leading] = command;
    const child = spawn(file, [...leading, 'daemon', ...args], {
      env: { PATH, HOME: state, XDG_STATE_HOME: state, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const daemon = new DaemonProcess(child, state);
    await waitFor(() => daemon.said.includes('listening') || !daemon.alive, 'the daemon to start', 60_000);
    return daemon;
  }

  get directory(): string {
    return relayDirectory(this.state);
  }

  get store(): string {
    return join(this.directory, 'store');
  }

  get alive(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Bytes of memory it has in use. */
  get rss(): number {
    const pages = readFileSync(`/proc/${this.child.pid}/statm`, 'latin1').split(' ')[1];
    return Number(pages) * 4096;
  }

  /** What waits for the person, oldest first, all of it; each is claimed. */
  inbox(): Promise<string[]> {
    const socket = join(this.directory, 'relay.sock');
    return new PersonInbox((command, input) => callRpc(socket, command, input)).read();
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    this.child.kill(signal);
    await exited(this.child);
  }

  /** Waits until it has ended by itself. */
  async ended(ms = 60_000): Promise<void> {
    await waitFor(() => !this.alive, 'the daemon to end', ms);
  }
}
