/** `agent-wrap [options] <agent> [args…]`: runs an agent in a PTY. Options of ours come before it. */
import { Command, Option } from 'commander';
import { PROFILES, SPEECH_KINDS, type SpeechKind } from '../agents/adapter.ts';
import { systemClock } from '../base/clock.ts';
import { RelayError } from '../base/errors.ts';
import { fileLog, LOG_LEVELS, type Log, type LogLevel, silentLog } from '../base/log.ts';
import { VERSION } from '../base/version.ts';
import { currentDirectory, decideSize, requireUsable, resolveAgent } from '../terminal/resolve.ts';
import { PersonTty, type Tty, type TtySize } from '../terminal/tty.ts';
import { Passthrough } from '../wrap/passthrough.ts';
import type { Recorder } from '../wrap/recorder.ts';
import { processSignals } from '../wrap/signals.ts';
import { type BriefOptions, briefingFor } from './brief.ts';
import { mcpLaunch } from './mcp-launch.ts';
import { type DURABILITIES, durabilityOption, type PlaceOptions, placeOf, placeOptions } from './place.ts';
import { openRecorder, type RecordOptions } from './record.ts';
import { reportError } from './report.ts';
import { applySettings } from './settings.ts';
import { throwUsage } from './usage.ts';

export const INJECT_MODES = ['auto', 'keys', 'native', 'off'] as const;

export interface WrapOptions extends PlaceOptions, BriefOptions, RecordOptions {
  name?: string;
  topic: string[];
  durability: (typeof DURABILITIES)[number];
  cols?: number;
  rows?: number;
  logFile?: string;
  logLevel: LogLevel;
  /** `--no-relay` makes it false. */
  relay: boolean;
  inject: (typeof INJECT_MODES)[number];
  speech: SpeechKind | 'auto';
  mcp?: true;
  /** `--no-chord` makes it false. */
  chord: string | false;
  bell?: true;
}

/** Columns or rows; more than any terminal has, and the emulator can still hold it. */
const MAX_CELLS = 1000;

const EXAMPLES = `
Examples:
  agent-wrap claude                             wrap Claude Code
  agent-wrap --name bob codex --no-alt-screen   options after the agent are the agent's
  agent-wrap --topic build -- ./agent.sh -v     -- ends our options
  agent-wrap --no-relay bash                    only the wrapper, no relay`;

function cells(flag: string, least: number) {
  return (value: string): number => {
    const count = /^[0-9]{1,4}$/.test(value) ? Number(value) : Number.NaN;
    if (count >= least && count <= MAX_CELLS) return count;
    throw new RelayError('USAGE', `${flag} takes a number from ${least} to ${MAX_CELLS}, not '${value}'`);
  };
}

function matching(flag: string, pattern: RegExp, expected: string) {
  return (value: string): string => {
    if (pattern.test(value)) return value;
    throw new RelayError('USAGE', `${flag} takes ${expected}, not '${value}'`);
  };
}

/** What Ctrl and a character send is one byte; these bytes are other keys too, or nobody can do without them. */
const NO_CHORD = new Set(['[', 'c', 'd', 'h', 'i', 'j', 'm', 'z']);

function chordKey(value: string): string {
  const character = /^ctrl-([a-z\\\]^_[])$/.exec(value.toLowerCase())?.[1];
  if (character !== undefined && !NO_CHORD.has(character)) return `ctrl-${character}`;
  throw new RelayError('USAGE', `--chord takes ctrl- and one of a-z \\ ] ^ _, not '${value}'`, {
    suggestion: 'ctrl-c, -d, -h, -i, -j, -m, -z and -[ are other keys as well',
  });
}

export function command(): Command {
  const nonEmpty = (flag: string, what: string) => matching(flag, /[^\s]/, what);
  const topic = nonEmpty('--topic', 'the name of a topic');
  const [namespace, socket] = placeOptions();
  return throwUsage(new Command('agent-wrap'))
    .description('Runs a terminal agent as it is, and gives it ears and a voice.')
    .usage('[options] <agent> [args…]')
    .argument('<agent>', 'the program to wrap')
    .argument('[args...]', 'its arguments, passed on untouched')
    .passThroughOptions()
    .addOption(
      new Option('--name <name>', 'name on the relay (default: <agent>-<n>)').argParser(
        matching('--name', /^[A-Za-z0-9_.-]{1,64}$/, '1–64 of A-Z a-z 0-9 _ . -'),
      ),
    )
    .addOption(
      new Option('--topic <topic>', 'also hear what is said on this topic (repeatable)')
        .default([], 'none')
        .argParser((value: string, before: string[]) => [...before, topic(value)]),
    )
    .addOption(namespace)
    .addOption(socket)
    .addOption(durabilityOption())
    .addOption(new Option('--cols <n>', "columns (default: the terminal's)").argParser(cells('--cols', 2)))
    .addOption(new Option('--rows <n>', "rows (default: the terminal's)").argParser(cells('--rows', 1)))
    .addOption(new Option('--log-file <path>', 'log here').argParser(nonEmpty('--log-file', 'a path')))
    .addOption(new Option('--log-level <level>', 'how much to log').choices(LOG_LEVELS).default('info'))
    .option('--no-relay', 'do not join the relay')
    .addOption(
      new Option('--inject <mode>', 'how messages reach the agent').choices(INJECT_MODES).default('auto'),
    )
    .addOption(
      new Option('--profile <agent>', 'what kind of agent it is (default: by its name)').choices(PROFILES),
    )
    .addOption(
      new Option('--speech <source>', 'where its own words are read')
        .choices(['auto', ...SPEECH_KINDS])
        .default('auto'),
    )
    .option('--brief', 'teach an unknown agent the relay, before its first message')
    .option('--no-brief', 'do not teach the agent the relay')
    .option('--mcp', 'give the agent relay_send, relay_poll, … as MCP tools for this run (claude, codex)')
    .addOption(
      new Option('--brief-file <path>', 'teach it with this text instead').argParser(
        nonEmpty('--brief-file', 'a path'),
      ),
    )
    .addOption(
      new Option(
        '--record <file>',
        'record the terminal (asciicast v2, for asciinema or agent-wrap replay)',
      ).argParser(nonEmpty('--record', 'a path')),
    )
    .option('--record-input', 'record also what is typed, but not where the terminal does not echo it')
    .addOption(
      new Option('--chord <key>', 'key before h (hold, release) and w (what waits)')
        // No agent we know binds it, and no terminal makes a signal of it.
        .default('ctrl-^')
        .argParser(chordKey),
    )
    .option('--no-chord', 'every key is the agent’s')
    .option('--bell', 'ring when a message waits for you')
    .version(VERSION)
    .addHelpText('after', EXAMPLES)
    .hook('preAction', applySettings)
    .action(async (agent: string, args: string[], options: WrapOptions) => {
      process.exitCode = await wrap(agent, args, options);
    });
}

/** Runs the agent to its end and returns the exit code. */
async function wrap(agent: string, args: readonly string[], options: WrapOptions): Promise<number> {
  const cwd = currentDirectory();
  const file = resolveAgent(agent, cwd, process.env.PATH);
  const tty = new PersonTty(systemClock);
  requireUsable(decideSize(options, tty.size, process.env));
  const log = options.logFile === undefined ? silentLog : fileLog(options.logFile, options.logLevel);
  const sizeFor = (terminal: TtySize) => decideSize(options, terminal, process.env);
  const recorder = await openRecorder(options, [agent, ...args], sizeFor(tty.size), log);
  if (options.relay) return wrapOnRelay({ agent, file, args, options, cwd, tty, sizeFor, recorder, log });
  const run = new Passthrough({
    tty,
    // The name as it was typed, as a shell does: some programs look at it (busybox, sh).
    agent: { file: agent, args, env: process.env, cwd },
    sizeFor,
    clock: systemClock,
    log,
    signals: processSignals,
    recorder,
  });
  return (await run.exited).code;
}

interface Wrapping {
  agent: string;
  file: string;
  args: readonly string[];
  options: WrapOptions;
  cwd: string;
  tty: Tty;
  sizeFor: (terminal: TtySize) => TtySize;
  recorder: Recorder | undefined;
  log: Log;
}

async function wrapOnRelay({
  agent,
  file,
  args,
  options,
  cwd,
  tty,
  sizeFor,
  recorder,
  log,
}: Wrapping): Promise<number> {
  // Loaded only now: without the relay nobody pays for it.
  const [{ Wrapper }, { attach }, { pickAdapter, requireSource }] = await Promise.all([
    import('../wrap/wrapper.ts'),
    import('../wrap/attach.ts'),
    import('../agents/pick.ts'),
  ]);
  const place = placeOf(options, process.env);
  const adapter = await pickAdapter([file, ...args], options.profile);
  requireSource(adapter, options.speech);
  const { durability } = options;
  return Wrapper.run({
    adapter,
    agent: { typed: agent, file, args },
    env: process.env,
    cwd,
    tty,
    sizeFor,
    name: options.name,
    namespace: place.namespace,
    topics: options.topic,
    inject: options.inject,
    speech: options.speech,
    briefing: await briefingFor(options, [file, ...args], place.namespace),
    mcp: options.mcp ? mcpLaunch(adapter.profile, place) : undefined,
    attach: () => attach({ ...place, env: process.env, mayLead: true, durability, clock: systemClock, log }),
    unsent: reportError,
    clock: systemClock,
    log,
    signals: processSignals,
    recorder,
    // What is piped in is no keyboard.
    chord: options.chord === false || !process.stdin.isTTY ? undefined : options.chord.slice('ctrl-'.length),
    bell: options.bell === true,
  });
}
