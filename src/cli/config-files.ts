/** Where configuration files lie: one for the project, one for the person. docs/configuration.md. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { RelayError } from '../base/errors.ts';

export interface ConfigFiles {
  project: string | undefined;
  user: string | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** The files that are there. Throws CONFIG_INVALID where two of them say the same. */
export function findConfigFiles(cwd: string, env: Environment): ConfigFiles {
  const folder = userFolder(env);
  return {
    project: firstOf(projectFolders(cwd, env.HOME), '.agent-wrap'),
    user: folder === undefined ? undefined : firstOf([folder], 'config'),
  };
}

/** Where the person's own file lies or would lie; undefined without a home. */
export function userFolder({ XDG_CONFIG_HOME: xdg, HOME: home }: Environment): string | undefined {
  if (xdg?.startsWith('/')) return join(xdg, 'agent-wrap');
  return home?.startsWith('/') ? join(home, '.config/agent-wrap') : undefined;
}

/**
 * From `cwd` upwards to the root of its git repository or the home directory. Outside of both only `cwd`:
 * what lies in a directory above, such as /tmp, is not this project's.
 */
export function projectFolders(cwd: string, home: string | undefined): string[] {
  const folders: string[] = [];
  for (let folder = cwd; ; folder = dirname(folder)) {
    folders.push(folder);
    if (folder === home || existsSync(join(folder, '.git'))) return folders;
    if (folder === dirname(folder)) return [cwd];
  }
}

function firstOf(folders: readonly string[], name: string): string | undefined {
  for (const folder of folders) {
    const [found, second] = ['yaml', 'json']
      .map((ending) => join(folder, `${name}.${ending}`))
      .filter(existsSync);
    if (second !== undefined) {
      throw new RelayError('CONFIG_INVALID', `${found} and ${second} are both there`, {
        suggestion: 'keep one of them',
      });
    }
    if (found !== undefined) return found;
  }
  return undefined;
}
