/**
 * opencode, seen in 1.18.33. Its speech and state are its server's events, on a loopback port with a password
 * of this run; its briefing is a file added to its instructions. real-agents.md §1, §4, §5.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Adapter, AdapterContext } from './adapter.ts';
import { freePort } from './loopback-port.ts';
import { isConversation, planServer, type ServerPlan, withInstructions } from './opencode-launch.ts';
import { OpencodeNative } from './opencode-native.ts';
import { opencodeInputBox } from './opencode-screen.ts';
import { OpencodeSpeech } from './opencode-speech.ts';
import { OpencodeState } from './opencode-state.ts';

/** The server of this run, or undefined, with the reason in the log. */
async function plan(context: AdapterContext): Promise<ServerPlan | undefined> {
  const random = () => Buffer.from(context.secret(4), 'base64url').readUInt32BE() / 2 ** 32;
  const port = await freePort(random);
  const planned = planServer(context.args, context.env, port, context.secret(24));
  if (typeof planned !== 'string') return planned;
  context.log.warn('opencode-no-events', { reason: planned });
  return undefined;
}

/** The environment that briefs it, or undefined if only a message can. */
function briefing(context: AdapterContext): Record<string, string> | undefined {
  if (context.briefing === undefined) return undefined;
  const file = join(context.runDirectory(), 'briefing.md');
  const env = withInstructions(context.env, file);
  if (env) writeFileSync(file, context.briefing, { mode: 0o600 });
  return env;
}

export const opencode: Adapter = {
  profile: 'opencode',
  sources: ['api'],

  async prepare(context) {
    const { args, clock, log, positions } = context;
    const state = new OpencodeState(log);
    const conversation = isConversation(args);
    const server = conversation ? await plan(context) : undefined;
    const briefed = conversation ? briefing(context) : undefined;
    const speech = server && new OpencodeSpeech({ plan: server, state, positions, clock, log });
    let worked = false;
    state.onChange((now) => {
      if (worked && now === 'ready') speech?.turnEnded();
      worked = now === 'busy' || (worked && now !== 'ready');
    });
    const native =
      speech && new OpencodeNative({ server: speech.server, sessions: speech.sessions, state, clock });
    if (native) speech.onPrompt((text) => native.taken(text));
    const wanted = context.speech === 'auto' || context.speech === 'api';
    return {
      args: [...(server?.args ?? []), ...args],
      env: { ...server?.env, ...briefed },
      speech: speech && wanted ? [speech] : [],
      state,
      inputBox: opencodeInputBox,
      typeWhileBusy: true,
      native,
      briefByMessage: conversation && context.briefing !== undefined && briefed === undefined,
      async close() {
        await native?.close();
        await speech?.close();
      },
    };
  },
};
