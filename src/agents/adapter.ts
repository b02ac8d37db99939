/**
 * What the wrapper wants to know of one kind of agent, and the only place that knows it: how to launch it,
 * where its own words come from, what state it is in, where its input box is, how it may be spoken to.
 * real-agents.md, "What we decide from it".
 */
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Positions } from './positions.ts';

export const PROFILES = ['claude', 'codex', 'opencode', 'gemini', 'generic'] as const;
export type Profile = (typeof PROFILES)[number];

export const SPEECH_KINDS = ['hook', 'transcript', 'api', 'screen'] as const;
export type SpeechKind = (typeof SPEECH_KINDS)[number];

export type AgentState = 'starting' | 'ready' | 'busy' | 'dialog' | 'unknown';

/** How to start the relay's MCP server. Its secrets are in the environment, never in its arguments. */
export interface McpLaunch {
  readonly command: string;
  readonly args: readonly string[];
  /** Names of the variables it must be given. */
  readonly envVars: readonly string[];
}

/** What an adapter may use; everything in it is for this run only. */
export interface AdapterContext {
  /** Our name on the relay. */
  readonly name: string;
  /** The agent's executable, resolved, and the person's arguments to it. */
  readonly file: string;
  readonly args: readonly string[];
  /** Words between `file` and `args`, if another program runs the agent: of `npx -y codex`, `-y codex`. */
  readonly launcher?: readonly string[];
  /** The environment the agent will get; the adapter adds to it by `Prepared.env`. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** A directory of this run, mode 0700, made by `runDirectory()` when first asked for and removed at the end. */
  runDirectory(): string;
  /** The text that teaches the agent the relay; absent with --no-brief. */
  readonly briefing: string | undefined;
  /** The relay's tools as an MCP server for this run; absent without --mcp. */
  readonly mcp?: McpLaunch | undefined;
  /** `auto`: the best the agent has, falling back. */
  readonly speech: SpeechKind | 'auto';
  /** How far each transcript was heard, across a crash of ours. */
  readonly positions: Positions;
  readonly clock: Clock;
  readonly log: Log;
  /** `bytes` random bytes as base64url. */
  secret(bytes: number): string;
}

export interface SpeechSink {
  /**
   * More of one message that the agent's model wrote, main thread only. `message` identifies it in its
   * source; `offset` is where `text` starts in it (UTF-16 code units), so a repeat is recognised.
   */
  text(message: string, offset: number, text: string): void;
  /** A block of the message is complete where its text stands now: what follows begins a line, whatever precedes it. */
  block?(message: string): void;
  /** The message is complete: fences end with it (P26). */
  end(message: string): void;
  /** A prompt the agent took, as it reads it: confirms an injection. */
  prompt?(text: string): void;
  /** The source does not work (any more): the next one is used. */
  failed(reason: string): void;
}

export interface SpeechSource {
  readonly kind: Exclude<SpeechKind, 'screen'>;
  /** Begins to listen, before the agent starts; what an earlier session said is not speech. */
  start(sink: SpeechSink): void;
  /** Stops after what is already there was read (at most ~1 s). */
  close(): Promise<void>;
}

/** What can be seen of the terminal, at a moment when no redraw is under way. */
export interface ScreenView {
  /** Text of the visible rows, blanks at their ends removed. */
  rows(): readonly string[];
  readonly cursor: { readonly row: number; readonly column: number };
  /** The cell is drawn faint (SGR 2): how agents draw a placeholder or a suggestion in an empty box. */
  faint(row: number, column: number): boolean;
  readonly bracketedPaste: boolean;
  readonly alternateScreen: boolean;
}

/** The agent's input box as it is drawn. */
export interface InputBox {
  /** What stands in it, rows joined by LF; '' if there is only the placeholder. */
  text: string;
  /** `prompt`: what is typed goes to the model. `other`: search, shell mode, a palette, a transcript view. */
  mode: 'prompt' | 'other';
}

/** Follows an agent's own signals. State is a value; never from silence alone. */
export interface StateReader {
  readonly state: AgentState;
  /** The agent's output as it passes; `reply` answers a query of the agent as a terminal would. */
  output(chunk: Buffer, reply: (bytes: Buffer) => void): void;
  /** The screen, whenever it has settled: confirms or corrects. */
  screen(view: ScreenView): void;
  /** Called after each change. */
  onChange(listener: (state: AgentState) => void): void;
}

/** A way to speak to the agent without its keyboard. */
export interface NativeChannel {
  readonly name: string;
  /**
   * Hands over one prompt; resolves when the agent has it. Rejects with NOT_CONFIRMED when it may have it,
   * with anything else when it surely has not.
   */
  deliver(text: string, id: string): Promise<void>;
  close(): Promise<void>;
}

/** What an adapter made of one launch. */
export interface Prepared {
  args: readonly string[];
  /** Added to the agent's environment. */
  env: Readonly<Record<string, string>>;
  /** Best first; the screen is always the last resort and not listed. */
  speech: readonly SpeechSource[];
  state: StateReader;
  /** Where the input box is on this screen; undefined if none is seen. */
  inputBox(view: ScreenView): InputBox | undefined;
  /** May text be typed and submitted while it is `busy`? Codex: no, an Enter interrupts the answer. */
  typeWhileBusy: boolean;
  native: NativeChannel | undefined;
  /** The briefing goes in with the first message, because the agent has no other place for it. */
  briefByMessage: boolean;
  close(): Promise<void>;
}

export interface Adapter {
  readonly profile: Profile;
  /** The sources of speech that this kind of agent has, best first. The screen is one of every agent. */
  readonly sources: readonly SpeechSource['kind'][];
  /**
   * Must not take longer than a few milliseconds: the person waits for the agent's first byte.
   * Asynchronous because a port must be known before the arguments are.
   */
  prepare(context: AdapterContext): Promise<Prepared>;
}
