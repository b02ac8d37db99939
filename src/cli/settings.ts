/**
 * The effective value of each setting and where it comes from: flags > environment > the project's file >
 * the person's file > default. docs/configuration.md.
 */
import type { Command } from 'commander';
import { RelayError } from '../base/errors.ts';
import { currentDirectory } from '../terminal/resolve.ts';
import { type ConfigFiles, findConfigFiles } from './config-files.ts';
import { type ConfigKey, configKeys, PLACE_KEYS, PROJECT_KEYS, parseVariable } from './config-keys.ts';
import type { ReadSetting } from './config-read.ts';

export interface Setting {
  key: ConfigKey;
  value: unknown;
  source: 'environment' | 'project' | 'user' | 'default';
  /** The variable, or file:line. */
  from: string | undefined;
}

export interface Surroundings {
  cwd: string;
  env: Readonly<Record<string, string | undefined>>;
}

/**
 * The settings of `keys` below the flags. A file is judged whole, by `every` key there is, which is asked
 * for only if there is a file. Throws CONFIG_INVALID or FILE_UNREADABLE.
 */
export async function decideSettings(
  keys: readonly ConfigKey[],
  { cwd, env }: Surroundings,
  every: () => Promise<readonly ConfigKey[]> = async () => keys,
): Promise<{ settings: Setting[]; files: ConfigFiles }> {
  const files = findConfigFiles(cwd, env);
  const project = await settingsIn(files.project, every);
  const user = await settingsIn(files.user, every);
  for (const { name, line } of project.values()) {
    if (PROJECT_KEYS.has(name)) continue;
    throw new RelayError('CONFIG_INVALID', `${files.project}:${line}: a project must not set ${name}`, {
      suggestion: `set it in your own file (see: agent-wrap config), as a variable, or as a flag`,
    });
  }
  const settings = keys.map((key): Setting => {
    const fromFile = (source: 'project' | 'user', file: string | undefined, found: ReadSetting): Setting => ({
      key,
      value: found.value,
      source,
      from: `${file}:${found.line}`,
    });
    const ofProject = project.get(key.attribute);
    const ofUser = user.get(key.attribute);
    return (
      fromEnvironment(key, env) ??
      (ofProject && fromFile('project', files.project, ofProject)) ??
      (ofUser && fromFile('user', files.user, ofUser)) ?? {
        key,
        value: key.fallback,
        source: 'default',
        from: undefined,
      }
    );
  });
  return { settings, files };
}

async function settingsIn(
  file: string | undefined,
  every: () => Promise<readonly ConfigKey[]>,
): Promise<ReadonlyMap<string, ReadSetting>> {
  if (file === undefined) return new Map();
  const { readConfig } = await import('./config-read.ts');
  return readConfig(file, await every());
}

function fromEnvironment(key: ConfigKey, env: Surroundings['env']): Setting | undefined {
  // Within a wrapped agent its relay is the one meant, and its name is taken (P10).
  const inherited =
    key.name === 'namespace' && env.AGENT_RELAY_NAMESPACE ? 'AGENT_RELAY_NAMESPACE' : undefined;
  if (key.name === 'name' && env.AGENT_RELAY_NAME) return undefined;
  const from = inherited ?? key.variable;
  const text = env[from];
  if (text === undefined || text === '') return undefined;
  try {
    return { key, value: parseVariable(key, text), source: 'environment', from };
  } catch (cause) {
    throw new RelayError('CONFIG_INVALID', `${from}: ${RelayError.from(cause).message}`, {
      suggestion: `correct or unset ${from}`,
      cause,
    });
  }
}

/** For `command.hook('preAction', …)` of `agent-wrap` itself: fills in what no flag has said. */
export async function applySettings(command: Command): Promise<void> {
  const { settings } = await decideSettings(configKeys(command), {
    cwd: currentDirectory(),
    env: process.env,
  });
  fillIn(command, settings);
}

/** The same for a subcommand, which shares with `agent-wrap` only where the relay is. */
export async function applyPlace(command: Command, wrap: () => Promise<Command>): Promise<void> {
  const shared = configKeys(command).filter(({ name }) => PLACE_KEYS.has(name));
  if (shared.length === 0) return;
  const every = async () => configKeys(await wrap());
  const { settings } = await decideSettings(shared, { cwd: currentDirectory(), env: process.env }, every);
  fillIn(command, settings);
}

function fillIn(command: Command, settings: readonly Setting[]): void {
  for (const { key, value, source } of settings) {
    const current = command.getOptionValueSource(key.attribute);
    if (source === 'default' || (current !== undefined && current !== 'default')) continue;
    command.setOptionValueWithSource(key.attribute, value, source === 'environment' ? 'env' : 'config');
  }
}
