/** `agent-wrap daemon`: hosts the relay without an agent, until it is told to leave. docs/protocol.md §Daemon (P20). */
import { Command, InvalidArgumentError } from 'commander';
import { systemClock } from '../base/clock.ts';
import { RelayError } from '../base/errors.ts';
import { fileLog, silentLog } from '../base/log.ts';
import type { Attachment } from '../client/attachment.ts';
import { MAX_HANDOFF_TTL_MS } from '../protocol/limits.ts';
import { attach } from '../wrap/attach.ts';
import { type DURABILITIES, durabilityOption } from './place.ts';
import { throwUsage } from './usage.ts';

/** Milliseconds between two looks at whether anybody is still connected. */
const IDLE_LOOK_MS = 1_000;

interface Options {
  namespace: string;
  socket?: string;
  idleExit?: number;
  handoffExpiry?: number;
  idleTimeout?: number;
  reconnectWindow?: number;
  maxSession?: number;
  logFile?: string;
  durability: (typeof DURABILITIES)[number];
}

export function command(): Command {
  return throwUsage(new Command('daemon'))
    .description('hosts the relay of a namespace without an agent')
    .option('--namespace <name>', 'the relay to host', process.env.AGENT_RELAY_NAMESPACE ?? 'default')
    .option('--socket <path>', 'be reachable at this path as well')
    .option('--idle-exit <seconds>', 'leave when nobody was connected for so long', parseSeconds)
    .option('--handoff-expiry <seconds>', 'how long an unused handoff is good (at most 900)', parseSeconds)
    .option('--idle-timeout <seconds>', 'end sessions that do nothing for so long (0: never)', parseSeconds)
    .option('--reconnect-window <seconds>', 'how long a lost connection may come back', parseSeconds)
    .option('--max-session <seconds>', 'end sessions after so long (0: never)', parseSeconds)
    .option('--log-file <file>', 'append log lines (JSON) to this file')
    .addOption(durabilityOption())
    .addHelpText(
      'after',
      '\nExamples:\n  agent-wrap daemon\n  agent-wrap daemon --namespace team-a --idle-exit 60\n' +
        '  agent-wrap daemon --socket /tmp/agent-relay.sock',
    )
    .action(run);
}

async function run(options: Options): Promise<void> {
  const { namespace, socket, idleExit, logFile, durability } = options;
  const log = logFile === undefined ? silentLog : fileLog(logFile);
  const stop = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => stop.abort());
  const settings = timeouts(options);
  for (let failure: RelayError | undefined; ; ) {
    const attachment = await attach({
      namespace,
      socketPath: socket,
      env: process.env,
      mayLead: true,
      durability,
      clock: systemClock,
      log,
      settings,
    });
    if (attachment.role === 'client') throw hostedElsewhere(namespace, attachment.endpoint, failure);
    process.stdout.write(`listening on ${attachment.endpoint}\n`);
    const reason = await ended(attachment, stop.signal, idleExit);
    await attachment.close();
    if (reason !== 'lost') return;
    failure = attachment.failure;
    if (failure !== undefined && failure.code !== 'DEPOSED') throw failure;
    // By another daemon, or because somebody swept the directory: then nobody hosts it, and we do again.
    process.stderr.write(`agent-wrap: deposed: ${failure?.message}\n`);
  }
}

function hostedElsewhere(namespace: string, endpoint: string, deposed: RelayError | undefined): RelayError {
  if (deposed === undefined) {
    return new RelayError('DAEMON_RUNNING', `a daemon hosts ${namespace} already at ${endpoint}`);
  }
  return new RelayError('DEPOSED', `another daemon hosts ${namespace} now`, {
    suggestion: 'nothing is to be done: it serves everybody',
  });
}

/** The four timeouts of a session that were given, in the daemon's units. */
function timeouts({ handoffExpiry, idleTimeout, reconnectWindow, maxSession }: Options) {
  const given = {
    handoffTtlMs: handoffExpiry,
    idleTimeoutMs: idleTimeout,
    reconnectWindowMs: reconnectWindow,
    maxSessionMs: maxSession,
  };
  if (handoffExpiry !== undefined && !(handoffExpiry > 0 && handoffExpiry * 1_000 <= MAX_HANDOFF_TTL_MS)) {
    throw new RelayError('USAGE', '--handoff-expiry takes 1 to 900 seconds');
  }
  const entries = Object.entries(given).filter(([, seconds]) => seconds !== undefined);
  return Object.fromEntries(entries.map(([name, seconds]) => [name, (seconds as number) * 1_000]));
}

/** Waits for a signal, for the end of our reign, or until nobody was there for long enough. */
function ended(
  attachment: Attachment,
  stop: AbortSignal,
  idleExit: number | undefined,
): Promise<'stopped' | 'lost' | 'idle'> {
  return new Promise((resolve) => {
    let busyAt = systemClock.monotonic();
    const timer = systemClock.every(IDLE_LOOK_MS, async () => {
      if (!attachment.leading) return done('lost');
      if (idleExit === undefined) return;
      const status = (await attachment.call('relay-status', {})) as { data?: { metrics: Metrics } };
      if ((status.data?.metrics.connections ?? 1) > 0) busyAt = systemClock.monotonic();
      if (systemClock.monotonic() - busyAt >= idleExit * 1_000) done('idle');
    });
    const done = (reason: 'stopped' | 'lost' | 'idle') => {
      timer.cancel();
      resolve(reason);
    };
    if (stop.aborted) done('stopped');
    else stop.addEventListener('abort', () => done('stopped'));
  });
}

interface Metrics {
  connections: number;
}

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (!Number.isFinite(seconds) || seconds < 0) throw new InvalidArgumentError('a number of seconds');
  return seconds;
}
