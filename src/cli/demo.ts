/**
 * `agent-wrap demo`: two scripted agents, each a real process in a real PTY under the real wrapper, talk
 * over a relay of their own. Shows what is in both terminals and what becomes of each message.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Chalk, type ChalkInstance } from 'chalk';
import { Command } from 'commander';
import { systemClock } from '../base/clock.ts';
import { RelayError } from '../base/errors.ts';
import { silentLog } from '../base/log.ts';
import { watchEvents } from '../client/events.ts';
import { Pty } from '../terminal/pty.ts';
import { SettledLines } from '../terminal/settled-lines.ts';
import { attach } from '../wrap/attach.ts';
import { PARTS } from './demo-agent.ts';
import { selfCommand } from './self.ts';
import { throwUsage } from './usage.ts';

const SIZE = { cols: 100, rows: 24 };
/** A conversation takes some seconds; one that hangs is a failure that must be seen. */
const LIMIT_MS = 60_000;

export function command(): Command {
  return throwUsage(new Command('demo'))
    .description('two scripted agents talk to each other: a relay at work, in a few seconds')
    .addHelpText('after', '\nExamples:\n  agent-wrap demo')
    .action(async () => {
      process.exitCode = await demo();
    });
}

async function demo(): Promise<number> {
  const paint = new Chalk(process.stdout.isTTY ? {} : { level: 0 });
  const home = mkdtempSync(join(tmpdir(), 'agent-wrap-demo-'));
  const env = { ...process.env, XDG_STATE_HOME: home };
  const colours: Record<string, ChalkInstance> = { ada: paint.cyan, bob: paint.yellow };
  const print = (name: string, text: string): void => {
    const colour = colours[name] ?? paint.dim;
    process.stdout.write(`${colour(`${name.padStart(6)} │`)} ${text}\n`);
  };
  print('demo', 'two agents, each in a terminal of its own, under agent-wrap; the relay is inside the first');
  const agents = Object.keys(PARTS).map(
    (name) =>
      new DemoAgent(name, env, (lines) => {
        for (const line of lines.trimEnd().split('\n')) print(name, line);
      }),
  );
  const stop = new AbortController();
  let delivered = 0;
  try {
    const limit = setTimeout(() => stop.abort(), LIMIT_MS);
    const watching = watchRelay(env, stop.signal, (line, isDelivery) => {
      if (isDelivery) delivered++;
      print('relay', paint.dim(line));
    });
    const [ada, bob] = agents as [DemoAgent, DemoAgent];
    stop.signal.addEventListener('abort', () => {
      for (const agent of agents) agent.hangUp();
    });
    const first = await ada.exited;
    bob.endOfInput();
    const codes = [first, await bob.exited];
    clearTimeout(limit);
    stop.abort();
    await watching;
    // Ada leaves with 0 only when the last message of the script has reached her.
    const good = codes.every((code) => code === 0);
    print(
      'demo',
      `${delivered} deliveries; the agents left with ${codes.join(' and ')}${good ? '' : ': that is not right'}`,
    );
    return good ? 0 : 1;
  } finally {
    for (const agent of agents) agent.hangUp();
    rmSync(home, { recursive: true, force: true });
  }
}

/** One wrapped agent and the terminal it is seen in. */
class DemoAgent {
  readonly exited: Promise<number>;
  readonly #pty: Pty;

  constructor(name: string, env: NodeJS.ProcessEnv, show: (lines: string) => void) {
    const self = selfCommand();
    const lines = new SettledLines({ ...SIZE, clock: systemClock, onLines: show });
    const inner = [self.file, ...self.args, 'demo-agent', name];
    let exit: (code: number) => void = () => {};
    this.exited = new Promise((resolve) => {
      exit = resolve;
    });
    this.#pty = new Pty(
      {
        file: self.file,
        args: [...self.args, '--name', name, '--', ...inner],
        env,
        cwd: process.cwd(),
        ...SIZE,
      },
      {
        onOutput: (chunk) => void lines.push(chunk),
        onDrain: () => {},
        onExit: ({ exitCode, signal }) => {
          void lines.flush().then(() => {
            lines.close();
            exit(signal === 0 ? exitCode : 128 + signal);
          });
        },
      },
      systemClock,
    );
  }

  /** Ctrl-D, as a person would type it: the agent has nothing more to read. */
  endOfInput(): void {
    this.#pty.write(Buffer.of(0x04));
  }

  hangUp(): void {
    this.#pty.close();
  }
}

/** Tells of messages and their fates until `signal`; finds the relay as soon as the first wrapper hosts it. */
async function watchRelay(
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
  tell: (line: string, isDelivery: boolean) => void,
): Promise<void> {
  while (!signal.aborted) {
    try {
      const attachment = await attach({
        namespace: 'default',
        env,
        mayLead: false,
        clock: systemClock,
        log: silentLog,
      });
      for await (const event of watchEvents(attachment, { signal })) {
        if (event.type === 'message')
          tell(`${event.from} → ${event.to}: a message of ${event.size} bytes`, false);
        if (event.type === 'fate')
          tell(`${event.from} → ${event.to}: ${event.fate}`, event.fate === 'delivered');
      }
    } catch (error) {
      // Not there yet, or just handed over: look again.
      if (!RelayError.from(error).retryable) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
