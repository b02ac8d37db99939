/** A relay of its own for tests of the CLI: a daemon, an `agent-wrap` on the PATH, and commands run in it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { COMMAND, FILE, LEADING } from './outer-terminal.ts';
import { waitFor } from './wait-for.ts';

const ROOT = resolve(import.meta.dirname, '../..');

export interface Ran {
  stdout: string;
  stderr: string;
  code: number | null;
}

export class RelayHome {
  readonly path = mkdtempSync(join(tmpdir(), 'agent-wrap-home-'));
  readonly logFile = join(this.path, 'daemon.log');
  #daemon: ChildProcess | undefined;

  constructor() {
    const bin = join(this.path, 'bin');
    mkdirSync(bin);
    writeFileSync(
      join(bin, 'agent-wrap'),
      `#!/bin/sh\nexec ${COMMAND.map((word) => `'${word}'`).join(' ')} "$@"\n`,
    );
    chmodSync(join(bin, 'agent-wrap'), 0o755);
  }

  get env(): Record<string, string> {
    const { PATH = '', HOME = '/' } = process.env;
    return { PATH: `${join(this.path, 'bin')}:${PATH}`, HOME, XDG_STATE_HOME: this.path };
  }

  /** The relay's directory, once a daemon has made it. */
  get directory(): string {
    const root = join(this.path, 'agent-relay');
    return join(root, readdirSync(root)[0] as string);
  }

  async startDaemon(...args: string[]): Promise<void> {
    this.#daemon = spawn(FILE, [...LEADING, 'daemon', '--log-file', this.logFile, ...args], {
      env: this.env,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let said = '';
    this.#daemon.stdout?.on('data', (bytes) => {
      said += bytes;
    });
    await waitFor(() => said.includes('listening'), 'the daemon');
  }

  /** Ends the daemon at once; `remove` and `startDaemon` may follow. */
  async killDaemon(): Promise<void> {
    const daemon = this.#daemon;
    if (daemon === undefined) return;
    const ended = new Promise((done) => daemon.on('exit', done));
    daemon.kill('SIGKILL');
    await ended;
  }

  /** Runs a program in the repository's root; `input` is its stdin. */
  async run(
    file: string,
    args: readonly string[],
    more: { input?: string; env?: object } = {},
  ): Promise<Ran> {
    const child = spawn(file, args, { cwd: ROOT, env: { ...this.env, ...more.env }, stdio: 'pipe' });
    const ended = new Promise<number | null>((done) => child.on('close', done));
    child.stdin.on('error', () => {}); // it may end without reading
    child.stdin.end(more.input ?? '');
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
    return { stdout, stderr, code: await ended };
  }

  cli(...args: string[]): Promise<Ran> {
    return this.run(FILE, [...LEADING, ...args]);
  }

  async remove(): Promise<void> {
    const daemon = this.#daemon;
    if (daemon !== undefined && daemon.exitCode === null && daemon.signalCode === null) {
      const ended = new Promise((done) => daemon.on('exit', done));
      daemon.kill();
      await ended;
    }
    rmSync(this.path, { recursive: true, force: true });
  }
}
