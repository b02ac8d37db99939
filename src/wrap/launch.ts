/** What the agent is started with: who it is on the relay, and what its adapter makes of the person's arguments. */
import { randomBytes } from 'node:crypto';
import type { Prepared } from '../agents/adapter.ts';
import type { Positions } from '../agents/positions.ts';
import type { Introduced } from './join-relay.ts';
import type { RunDirectory } from './run-directory.ts';
import type { WrapperOptions } from './wrapper-options.ts';

export interface Launch {
  prepared: Prepared;
  /** The program of the PTY. */
  program: {
    file: string;
    args: readonly string[];
    env: Readonly<Record<string, string | undefined>>;
    cwd: string;
  };
  /** The text that teaches this agent the relay. */
  briefing: string | undefined;
}

/** Has the adapter prepare the start of the agent. */
export async function prepareLaunch(
  options: WrapperOptions,
  { name, scopedToken }: Introduced,
  { runDirectory, positions }: { runDirectory: RunDirectory; positions: Positions },
): Promise<Launch> {
  const { adapter, agent, cwd, mcp, speech, clock, log } = options;
  const env: Record<string, string | undefined> = {
    ...options.env,
    AGENT_RELAY_NAME: name,
    AGENT_RELAY_NAMESPACE: options.namespace,
    AGENT_RELAY_TOKEN: scopedToken,
  };
  const briefing = options.briefing?.(name);
  const prepared = await adapter.prepare({
    name,
    file: agent.file,
    args: agent.args,
    env: Object.fromEntries(
      Object.entries(env).filter((pair): pair is [string, string] => pair[1] !== undefined),
    ),
    cwd,
    runDirectory: () => runDirectory.path(),
    briefing,
    mcp,
    speech,
    positions,
    clock,
    log,
    secret: (bytes) => randomBytes(bytes).toString('base64url'),
  });
  // The name as it was typed, as a shell does: some programs look at it (busybox, sh).
  const program = { file: agent.typed, args: prepared.args, env: { ...env, ...prepared.env }, cwd };
  return { prepared, program, briefing };
}
