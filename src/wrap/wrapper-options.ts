/** What a wrapper is given: the agent, the person's terminal, and how to hear and speak. */
import type { Adapter, McpLaunch, SpeechKind } from '../agents/adapter.ts';
import type { Clock } from '../base/clock.ts';
import type { RelayError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Attachment } from '../client/attachment.ts';
import type { Tty, TtySize } from '../terminal/tty.ts';
import type { Recorder } from './recorder.ts';
import type { Signals } from './signals.ts';

/** `auto`: by keys when that is safe at once, else by the agent's native channel if it has one. */
export type InjectMode = 'auto' | 'keys' | 'native' | 'off';

export interface WrapperOptions {
  adapter: Adapter;
  /** The agent as it was typed, its resolved path, and the person's arguments to it. */
  agent: { typed: string; file: string; args: readonly string[] };
  env: Readonly<Record<string, string | undefined>>;
  cwd: string;
  tty: Tty;
  sizeFor: (terminal: TtySize) => TtySize;
  /** A fixed name; else the first free `<agent>-<n>`. */
  name: string | undefined;
  namespace: string;
  topics: readonly string[];
  inject: InjectMode;
  speech: SpeechKind | 'auto';
  briefing: ((name: string) => string) | undefined;
  /** `--mcp`: the relay's tools for the agent. */
  mcp?: McpLaunch | undefined;
  recorder?: Recorder | undefined;
  /** The character that begins our key chord, with Ctrl; undefined: there is none. */
  chord: string | undefined;
  /** Ring the bell when a message begins to wait for the person. */
  bell: boolean;
  attach: () => Promise<Attachment>;
  /** Tells the person, after the agent's exit, what of its words has not left. */
  unsent: (error: RelayError) => void;
  clock: Clock;
  log: Log;
  signals: Signals;
}
