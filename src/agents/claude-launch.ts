/**
 * The arguments for one run of Claude Code: the person's, with our hooks and briefing merged into theirs.
 * Nothing is written into their files. Seen in 2.1.329. real-agents.md §5.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import type { AdapterContext, McpLaunch } from './adapter.ts';
import { hasOption, takeOption } from './arguments.ts';
import { isRecord, type JsonRecord, parseRecord, recordIn } from './json-record.ts';

/** Commands that begin no session here. */
const COMMANDS = new Set(
  (
    'agents attach auth auto-mode config doctor gateway import install kill logs mcp plugin plugins purge ' +
    'respawn rm setup-token stop ultrareview update upgrade'
  ).split(' '),
);

/** With one of these the session has its id already, or runs elsewhere. */
const HAVE_SESSION =
  '-c --continue -r --resume --session-id --from-pr --bg --background --cloud --teleport'.split(' ');

/** Our hooks: what is added to the person's for each event. */
export type Hooks = Readonly<Record<string, JsonRecord>>;

/** Seconds a hook may take before Claude Code goes on without us. */
const HOOK_TIMEOUT_S = 5;

const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

export const beginsSession = (args: readonly string[]): boolean =>
  !COMMANDS.has(args[0] ?? '') && !hasOption(args, '-h', '--help', '-v', '--version');

/** Is it the conversation on the screen, with an input box and an end that the person gives it? */
export const isInteractive = (args: readonly string[]): boolean =>
  beginsSession(args) && !hasOption(args, '-p', '--print');

/** The same hook for each of the events: it posts to `url`. */
export const httpHooks = (url: string, ...events: string[]): Hooks =>
  Object.fromEntries(
    events.map((event) => [event, { hooks: [{ type: 'http', url, timeout: HOOK_TIMEOUT_S }] }]),
  );

export interface Launch {
  args: string[];
  /** The session, if it is known before it begins. */
  sessionId: string | undefined;
  /** Our hooks are in the settings. */
  hooked: boolean;
}

/** `sessionId`: a fresh UUID to use if none is given. */
export function launchArguments(context: AdapterContext, hooks: Hooks, sessionId: string): Launch {
  const { briefing } = context;
  let args = [...context.args];
  const ours: string[] = context.mcp === undefined ? [] : mcpArguments(context.mcp);
  const settings = Object.keys(hooks).length === 0 ? undefined : mergedSettings(context, hooks);
  if (settings !== undefined) {
    args = takeOption(args, '--settings').rest;
    const file = join(context.runDirectory(), 'claude-settings.json');
    // A file of ours alone: all may read the arguments of a process, and the secret is in it.
    writeFileSync(file, JSON.stringify(settings), { mode: 0o600 });
    ours.push('--settings', file);
  }
  const given = takeOption(args, '--session-id', '-r', '--resume').values.find((value) => UUID.test(value));
  const fresh = !hasOption(args, ...HAVE_SESSION);
  if (fresh) ours.push('--session-id', sessionId);
  if (briefing !== undefined) {
    const { texts, rest } = appendedPrompts(args, context.cwd);
    args = rest;
    ours.push('--append-system-prompt', [...texts, briefing].join('\n\n'));
  }
  return {
    args: [...ours, ...args],
    sessionId: fresh ? sessionId : given,
    hooked: settings !== undefined,
  };
}

/**
 * The relay's tools beside the servers of the person, and allowed without a question. With `=`, because both
 * options take all words that follow, and the person's prompt may be one. Its environment is all of ours.
 * `alwaysLoad`, or the model would have to search for the tools before it may call one.
 */
function mcpArguments({ command, args }: McpLaunch): string[] {
  const config = { mcpServers: { relay: { type: 'stdio', command, args, alwaysLoad: true } } };
  return [`--mcp-config=${JSON.stringify(config)}`, '--allowedTools=mcp__relay'];
}

/** The person's `--settings` with our hooks beside theirs; undefined if theirs cannot be read. */
function mergedSettings(context: AdapterContext, ours: Hooks): JsonRecord | undefined {
  const given = takeOption(context.args, '--settings').values.at(-1);
  const theirs = given === undefined ? {} : readSettings(given, context.cwd);
  if (theirs === undefined) {
    // Claude Code will tell the person what is wrong with them.
    context.log.warn('claude-settings-unreadable', { given });
    return undefined;
  }
  const hooks = { ...recordIn(theirs, 'hooks') };
  for (const [event, entry] of Object.entries(ours)) {
    const before = hooks[event];
    hooks[event] = [...(Array.isArray(before) ? before : []), entry];
  }
  return { ...theirs, hooks };
}

/** Settings are given as JSON or as the path of a file. */
function readSettings(given: string, cwd: string): JsonRecord | undefined {
  if (given.trimStart().startsWith('{')) return parseRecord(given);
  try {
    const value: unknown = JSON.parse(readFileSync(pathIn(cwd, given), 'utf8'));
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** What the person appends to the system prompt: one option replaces the other, so all become one. */
function appendedPrompts(args: readonly string[], cwd: string): { texts: string[]; rest: string[] } {
  const inline = takeOption(args, '--append-system-prompt');
  const files = takeOption(inline.rest, '--append-system-prompt-file');
  const file = files.values.at(-1);
  const text = inline.values.at(-1);
  try {
    const read = file === undefined ? [] : [readFileSync(pathIn(cwd, file), 'utf8')];
    return { texts: [...(text === undefined ? [] : [text]), ...read], rest: files.rest };
  } catch {
    // Claude Code will say that it cannot read it.
    return { texts: text === undefined ? [] : [text], rest: inline.rest };
  }
}

const pathIn = (cwd: string, path: string): string => (isAbsolute(path) ? path : resolve(cwd, path));
