/**
 * Gemini CLI, seen in 0.61.0. Its speech is its chat file, its state the terminal's title. It takes no
 * instructions for one run: GEMINI_SYSTEM_MD replaces its own, and settings given by environment are read
 * only from files of root; so it is briefed by the first message. Never send it Ctrl-Y: that approves
 * everything from then on. real-agents.md §1, §4, §5.
 */
import { readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Adapter, AdapterContext, ScreenView } from './adapter.ts';
import { hasOption } from './arguments.ts';
import { GeminiChats } from './gemini-chats.ts';
import { Drafts } from './gemini-drafts.ts';
import { geminiAsks, geminiInputBox, geminiTitle } from './gemini-screen.ts';
import { parseRecord, stringIn } from './json-record.ts';
import { SignalState } from './signal-state.ts';

const SUBCOMMANDS = new Set(['mcp', 'extensions', 'extension', 'skills', 'skill', 'hooks', 'hook', 'gemma']);

/** Options after which no conversation in the terminal starts. */
const OTHERS = [
  ...['-h', '--help', '-v', '--version', '-l', '--list-extensions', '--list-sessions', '--delete-session'],
  ...['--acp', '--experimental-acp'],
];

/** Options that name a session already. */
const SESSIONS = ['-r', '--resume', '--session-id', '--session-file'];

/** The first version in which `--session-id` was seen. */
const NAMES_SESSIONS = [0, 61, 0];

/** The version in the package that this script belongs to. */
function versionOf(script: string): number[] {
  try {
    const manifest = join(dirname(realpathSync(script)), '..', 'package.json');
    const version = stringIn(parseRecord(readFileSync(manifest, 'utf8')) ?? {}, 'version') ?? '';
    return version.split(/[.-]/).slice(0, 3).map(Number);
  } catch {
    return [];
  }
}

/** An unknown version is old: an option that it does not know would keep it from starting. */
function isAtLeast(version: readonly number[], least: readonly number[]): boolean {
  for (const [i, number] of least.entries()) {
    const have = version[i] ?? -1;
    if (have !== number) return have > number;
  }
  return true;
}

const realPath = (path: string): string => {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
};

/** A name for the session that is about to begin, if this Gemini CLI takes one. */
function nameSession(context: AdapterContext): string | undefined {
  const script = context.launcher?.at(-1) ?? context.file;
  if (hasOption(context.args, ...SESSIONS) || !isAtLeast(versionOf(script), NAMES_SESSIONS)) return undefined;
  const hex = Buffer.from(context.secret(16), 'base64url').toString('hex');
  return hex.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/, '$1-$2-4$3-8$4-$5');
}

export const gemini: Adapter = {
  profile: 'gemini',
  sources: ['transcript'],

  async prepare(context) {
    const { args, briefing, clock, cwd, env, log, positions } = context;
    const conversation = !hasOption(args, ...OTHERS) && !SUBCOMMANDS.has(args[0] ?? '');
    const session = conversation ? nameSession(context) : undefined;
    const drafts = new Drafts();
    const inputBox = (view: ScreenView) => {
      const box = geminiInputBox(view);
      if (box) drafts.add(box.text);
      return box;
    };
    const state = new SignalState({ title: geminiTitle, asks: geminiAsks, inputBox }, log);
    const folder = join(env.GEMINI_CLI_HOME || env.HOME || '/', '.gemini', 'tmp');
    const cwds = [cwd, realPath(cwd)];
    const chats = new GeminiChats({ folder, cwds, session, drafts, positions, clock, log });
    let worked = false;
    state.onChange((now) => {
      if (worked && now === 'ready') chats.turnEnded();
      worked ||= now === 'busy';
    });
    const wanted = context.speech === 'auto' || context.speech === 'transcript';
    return {
      args: [...(session === undefined ? [] : ['--session-id', session]), ...args],
      env: {},
      speech: conversation && wanted ? [chats] : [],
      state,
      inputBox,
      typeWhileBusy: true,
      native: undefined,
      briefByMessage: conversation && briefing !== undefined,
      close: () => chats.close(),
    };
  },
};
