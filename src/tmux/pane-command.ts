/** What a pane runs: this program, around one agent, in the environment of that agent. */
import { WRAPPER_VARIABLES } from '../base/wrapper-variables.ts';
import type { TeamMember } from './team.ts';

/**
 * What leads to the same programs and the same relay as here. A running server has an environment of its
 * own, from when it was started; the rest of it (keys, locale) stays, as in every other pane.
 */
const CARRIED = /^(PATH|XDG_STATE_HOME|XDG_RUNTIME_DIR|XDG_CONFIG_HOME|AGENT_WRAP_.*)$/;

export interface PaneSurroundings {
  self: { file: string; args: readonly string[] };
  env: Readonly<Record<string, string | undefined>>;
  /** `--namespace` and `--socket`, as words. */
  place: readonly string[];
}

/** Through env(1), which is gone once the agent runs, and which can also take a variable away. */
export function paneCommand(
  { name, command, env, options }: TeamMember,
  { self, env: ours, place }: PaneSurroundings,
): string[] {
  const carried = Object.entries(ours).filter(
    ([key, value]) => CARRIED.test(key) && value !== undefined && !Object.hasOwn(env, key),
  );
  const entries = Object.entries(env);
  // Each agent gets its own.
  const gone = [
    ...WRAPPER_VARIABLES,
    ...entries.filter(([, value]) => value === undefined).map(([key]) => key),
  ];
  const set = [...carried, ...entries.filter(([, value]) => value !== undefined)];
  return [
    'env',
    ...gone.flatMap((key) => ['-u', key]),
    ...set.map(([key, value]) => `${key}=${value}`),
    self.file,
    ...self.args,
    ...['--name', name],
    ...place,
    ...options,
    '--',
    ...command,
  ];
}
