/**
 * Agents in processes of their own that talk all at once while we do them harm, and the judgement
 * afterwards: whatever was called stored has arrived, once in a session and in order. P12, P15, P20.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { get } from 'node:http';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { waitFor } from '../helpers/wait-for.ts';
import type { Figures } from './fault.ts';
import { bundleProgram, exited } from './leaders.ts';
import type { Doom } from './member.ts';

const MEMBER = fileURLToPath(new URL('member.ts', import.meta.url));

/** Milliseconds for everybody to be back and everything to arrive: many processes, few cores. */
const PATIENCE_MS = 60_000;

interface Member {
  name: string;
  life: number;
  child: ChildProcess;
  state: string;
  /** It has stopped sending, and knows what became of all it sent. */
  quiet: boolean;
}

interface Note {
  got?: string;
  session?: string;
  stored?: string;
  delivered?: string;
  failed?: string;
  code?: string;
}

/** What became of all that was stored; `wrong` says each breach in a line. */
export interface Judgement extends Pick<Figures, 'stored' | 'lost' | 'twice' | 'disordered' | 'wrong'> {
  delivered: number;
}

export class Crew {
  readonly state = mkdtempSync(join(tmpdir(), 'agent-wrap-crew-'));
  readonly directory = join(
    this.state,
    'agent-relay',
    `default@${hostname().replace(/[^A-Za-z0-9.-]/g, '-')}`,
  );
  readonly #program: string;
  readonly #names: string[];
  readonly #everyMs: number;
  readonly #env: Record<string, string>;
  readonly #members = new Map<string, Member>();

  private constructor(size: number, everyMs: number, env: Record<string, string>) {
    this.#env = env;
    this.#program = bundleProgram(MEMBER, this.state);
    this.#names = Array.from({ length: size }, (_, n) => `agent-${n}`);
    this.#everyMs = everyMs;
  }

  /** Everybody joined and talking; `env` is added to that of each process. */
  static async start(size: number, everyMs = 20, env: Record<string, string> = {}): Promise<Crew> {
    const crew = new Crew(size, everyMs, env);
    for (const name of crew.#names) crew.spawn(name);
    await crew.ready();
    return crew;
  }

  get names(): readonly string[] {
    return this.#names;
  }

  pid(name: string): number {
    return this.#of(name).child.pid as number;
  }

  /** Starts an agent, the first or the next life of its name. */
  spawn(name: string): void {
    const life = (this.#members.get(name)?.life ?? 0) + 1;
    const child = fork(this.#program, {
      execArgv: [],
      env: { ...process.env, ...this.#env },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    const member: Member = { name, life, child, state: 'starting', quiet: false };
    this.#members.set(name, member);
    child.on('message', (message: 'up' | 'quiet' | { state: string }) => {
      if (message === 'quiet') {
        member.quiet = true;
        return;
      }
      if (message !== 'up') {
        member.state = message.state;
        return;
      }
      const { state } = this;
      const others = this.#names.filter((other) => other !== name);
      child.send({ state, notes: this.#notes(name), name, life, others, everyMs: this.#everyMs });
    });
  }

  /** kill -9. */
  async kill(name: string): Promise<void> {
    const { child } = this.#of(name);
    child.kill('SIGKILL');
    await exited(child);
  }

  /** It kills itself with -9 with a SEND just sent, or with a DELIVER in its hands. */
  async killWhile(name: string, die: 'sending' | 'receiving'): Promise<void> {
    const { child } = this.#of(name);
    child.send({ die } satisfies Doom);
    await exited(child);
  }

  /** kill -9 of the leader, and of whoever follows it, as it is doomed. Returns all that are dead: two at least. */
  async killTwice(leader: string, die: 'recovering' | 'replaying', afterMs: number): Promise<string[]> {
    const others = this.#names.filter((name) => name !== leader && this.#alive(name));
    const tell = (doom: Doom) => {
      for (const name of others) if (this.#alive(name)) this.#of(name).child.send(doom);
    };
    tell({ die, afterMs });
    await this.kill(leader);
    await waitFor(() => others.some((name) => !this.#alive(name)), 'the successor to die', PATIENCE_MS);
    tell({ die: 'never' });
    // Who has won meanwhile dies too.
    await this.ready();
    return this.#names.filter((name) => !this.#alive(name));
  }

  /** BYE and a clean exit. */
  async leave(name: string): Promise<void> {
    const { child } = this.#of(name);
    child.send('leave');
    await exited(child);
  }

  /** Who hosts the daemon; undefined while nobody answers. */
  async leader(): Promise<string | undefined> {
    const pid = await this.#leaderPid();
    return this.#names.find((name) => this.#of(name).child.pid === pid && this.#alive(name));
  }

  async leads(): Promise<string> {
    let found: string | undefined;
    await waitFor(
      async () => {
        found = await this.leader();
        return found !== undefined;
      },
      'a leader',
      PATIENCE_MS,
    );
    return found as string;
  }

  /** Waits until all that live are READY. */
  async ready(): Promise<void> {
    const missing = () => this.#names.filter((name) => this.#alive(name) && this.#of(name).state !== 'ready');
    await waitFor(() => missing().length === 0, 'everybody to be ready', PATIENCE_MS).catch(() => {
      if (process.env.FAULTS_KEEP !== undefined)
        cpSync(this.state, process.env.FAULTS_KEEP, {
          recursive: true,
          filter: (path) => !path.endsWith('.sock'),
        });
      const states = missing().map((name) => `${name} ${this.pid(name)} ${this.#of(name).state}`);
      throw new Error(`not ready: ${states.join(', ')}`);
    });
  }

  /** Waits until something more than now has been delivered to everybody, `stopped` left out. */
  async traffic(stopped?: string): Promise<void> {
    const awake = this.#names.filter((name) => name !== stopped);
    const before = new Map(awake.map((name) => [name, this.#read(name).length]));
    await waitFor(
      () =>
        awake.every(
          (name) => !this.#alive(name) || this.#read(name).length > (before.get(name) as number) + 3,
        ),
      'traffic',
      PATIENCE_MS,
    );
  }

  /** The lines of an agent's log, of all its lives. */
  log(name: string): string[] {
    return readFileSync(`${this.#notes(name)}.log`, 'utf8').split('\n');
  }

  /** Who is gone comes back, everybody stops sending, all that was stored arrives; then what was wrong. */
  async judge(): Promise<Judgement> {
    for (const name of this.#names) if (!this.#alive(name)) this.spawn(name);
    await this.ready();
    for (const { child } of this.#members.values()) if (child.connected) child.send('hush');
    // What is on its way would be taken for lost.
    const loud = () => [...this.#members.values()].filter(({ quiet }) => !quiet).map(({ name }) => name);
    await waitFor(() => loud().length === 0, 'everybody to be quiet', PATIENCE_MS).catch(() => {
      throw new Error(`not quiet: ${loud()}`);
    });
    await waitFor(() => this.#lost().length === 0, 'all that was stored to arrive', PATIENCE_MS).catch(
      () => {},
    );
    const missing = this.#lost();
    const judgement = {
      stored: this.#stored().size,
      delivered: 0,
      lost: missing.length,
      twice: 0,
      disordered: 0,
    };
    const wrong = missing.map((body) => `lost: ${body}`);
    for (const name of this.#names) {
      const seen = new Set<string>();
      const last = new Map<string, number>();
      for (const { got, session, failed, code } of this.#read(name)) {
        if (failed !== undefined) wrong.push(`failed: ${failed} ${code}`);
        if (got === undefined) continue;
        judgement.delivered++;
        const [stream, n] = got.split(' ') as [string, string];
        const key = `${session} ${stream}`;
        const before = last.get(key) ?? 0;
        if (seen.has(`${key} ${n}`)) {
          judgement.twice++;
          wrong.push(`twice in ${session}: ${got}`);
        } else if (before > Number(n)) {
          judgement.disordered++;
          wrong.push(`out of order in ${session}: ${got} after ${before}`);
        }
        seen.add(`${key} ${n}`);
        last.set(key, Number(n));
      }
    }
    return { ...judgement, wrong };
  }

  async close(): Promise<void> {
    for (const { child } of this.#members.values()) {
      child.kill('SIGCONT');
      child.kill('SIGKILL');
      await exited(child);
    }
    rmSync(this.state, { recursive: true, force: true });
  }

  #stored(): Set<string> {
    const notes = this.#names.flatMap((name) => this.#read(name));
    return new Set(notes.flatMap(({ stored, delivered }) => stored ?? delivered ?? []));
  }

  #lost(): string[] {
    const stored = this.#stored();
    for (const name of this.#names) for (const { got } of this.#read(name)) if (got) stored.delete(got);
    return [...stored];
  }

  #read(name: string): Note[] {
    const path = this.#notes(name);
    if (!existsSync(path)) return [];
    const lines = readFileSync(path, 'utf8').split('\n');
    return lines.slice(0, -1).map((line) => JSON.parse(line) as Note);
  }

  #notes(name: string): string {
    return join(this.state, `${name}.notes`);
  }

  #of(name: string): Member {
    return this.#members.get(name) as Member;
  }

  #alive(name: string): boolean {
    const { child } = this.#of(name);
    return child.exitCode === null && child.signalCode === null;
  }

  #leaderPid(): Promise<number | undefined> {
    return new Promise((resolve) => {
      const socketPath = join(this.directory, 'relay.sock');
      const call = get({ socketPath, path: '/health', timeout: 1_000, agent: false }, (response) => {
        let text = '';
        response.on('data', (bytes) => {
          text += bytes;
        });
        response.on('end', () => resolve((JSON.parse(text) as { pid: number }).pid));
      });
      call.on('timeout', () => call.destroy());
      call.on('error', () => resolve(undefined));
    });
  }
}
