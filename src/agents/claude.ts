/**
 * Claude Code, seen in 2.1.329. Its speech comes by HTTP hooks of this run, behind them its transcript; its
 * state by OSC 7501; what is typed while it works waits for the end of the answer; another hook wakes it with
 * a message. real-agents.md §1, §4, §5.
 */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Adapter, AdapterContext, SpeechSource } from './adapter.ts';
import { beginsSession, type Hooks, httpHooks, isInteractive, launchArguments } from './claude-launch.ts';
import { ClaudeRewake, rewakeHook } from './claude-rewake.ts';
import { claudeAsks, claudeInputBox, claudeTitle } from './claude-screen.ts';
import { ClaudeSpeech } from './claude-speech.ts';
import { HookServer } from './hook-server.ts';
import { realPath } from './real-path.ts';
import { SignalState } from './signal-state.ts';

/** Bytes of the secret in the address of our hooks. */
const SECRET_BYTES = 24;

/** The events that carry its speech. `UserPromptSubmit`, beside them, confirms a prompt and names the transcript. */
const SPEECH_EVENTS = ['MessageDisplay', 'Stop'];

/** Bytes of the secret in the name of the watched file: the project has no other of that name. */
const NAME_BYTES = 12;

/** The file of this run that Claude Code watches for messages. */
const mailbox = (context: AdapterContext): string =>
  join(context.runDirectory(), `agent-wrap-${context.secret(NAME_BYTES)}`);

/** Where the transcripts of this folder lie: its path with everything but letters and digits as `-`. */
function transcriptFolders({ env, cwd }: AdapterContext): string[] {
  const home = env.CLAUDE_CONFIG_DIR || join(env.HOME ?? '/', '.claude');
  const paths = new Set([cwd, realPath(cwd)]);
  return [...paths].map((path) => join(home, 'projects', path.replace(/[^A-Za-z0-9]/g, '-')));
}

/** The hook server; without one (no free port, no loopback) the transcript speaks. */
async function listen(context: AdapterContext): Promise<HookServer | undefined> {
  try {
    return await HookServer.listen(context.secret(SECRET_BYTES), context.log);
  } catch (error) {
    context.log.warn('hook-server', { error });
    return undefined;
  }
}

export const claude: Adapter = {
  profile: 'claude',
  sources: ['hook', 'transcript'],

  async prepare(context) {
    const { clock, log, positions, speech } = context;
    const session = beginsSession(context.args);
    const speaks = session && (speech === 'auto' || speech === 'hook');
    // Headless it takes no prompt but its first, and needs nobody to wake it.
    const file = isInteractive(context.args) ? mailbox(context) : undefined;
    const hooks = speaks || file !== undefined ? await listen(context) : undefined;
    const ours: Hooks = {
      ...(hooks && httpHooks(hooks.url, ...(speaks ? SPEECH_EVENTS : []), 'UserPromptSubmit')),
      ...(file !== undefined && { FileChanged: rewakeHook(file) }),
    };
    const launch = session
      ? launchArguments(context, ours, randomUUID())
      : { args: context.args, sessionId: undefined, hooked: false };
    const folders = transcriptFolders(context);
    const { sessionId } = launch;
    const account = new ClaudeSpeech({ folders, sessionId, hooks, positions, clock, log });
    const state = new SignalState({ title: claudeTitle, asks: claudeAsks, inputBox: claudeInputBox }, log);
    state.onChange((now) => (now === 'busy' ? account.turnBegan() : now === 'ready' && account.turnEnded()));
    const native = file !== undefined && launch.hooked ? new ClaudeRewake({ file, state, clock }) : undefined;
    if (native) account.onPrompt((text) => native.taken(text));
    const sources: SpeechSource[] = [];
    if (launch.hooked && speaks && hooks !== undefined) sources.push(account.hook);
    if (session && (speech === 'auto' || speech === 'transcript')) sources.push(account.transcript);
    return {
      args: launch.args,
      env: {},
      speech: sources,
      state,
      inputBox: claudeInputBox,
      typeWhileBusy: true,
      native,
      briefByMessage: false,
      async close() {
        await native?.close();
        await account.close();
        await hooks?.close();
      },
    };
  },
};
