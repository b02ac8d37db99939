/** The tmux on this machine, asked and told by its own commands. tmux(1). */
import { spawnSync } from 'node:child_process';
import { RelayError, systemCode } from '../base/errors.ts';
import { WRAPPER_VARIABLES } from '../base/wrapper-variables.ts';

/** The first version with all we use (`remain-on-exit failed`). */
const LEAST_VERSION = [3, 2] as const;

type Environment = Readonly<Record<string, string | undefined>>;

export class Tmux {
  readonly #socket: readonly string[];
  readonly #env: NodeJS.ProcessEnv;

  /** `socketName`: a server of its own (tmux -L); else the one we run in, or the default one. */
  constructor(env: Environment, socketName?: string) {
    this.#socket = socketName === undefined ? [] : ['-L', socketName];
    this.#env = { ...env };
    // A server started by an agent would give them to every pane for ever.
    for (const name of WRAPPER_VARIABLES) delete this.#env[name];
  }

  /** Throws TMUX_MISSING, TMUX_TOO_OLD. */
  requireUsable(): void {
    const { stdout } = this.#spawn(['-V']);
    const version = parseVersion(stdout);
    if (version === undefined) return; // `tmux master`, OpenBSD's own: nothing tells that it is old.
    const [major, minor] = version;
    if (major > LEAST_VERSION[0] || (major === LEAST_VERSION[0] && minor >= LEAST_VERSION[1])) return;
    throw new RelayError('TMUX_TOO_OLD', `${stdout.trim()} is older than ${LEAST_VERSION.join('.')}`);
  }

  /** Runs commands as one: the server does nothing else in between. Returns what they print. Throws TMUX_FAILED. */
  run(...commands: readonly (readonly string[])[]): string {
    const { status, stdout, stderr } = this.#spawn([...this.#socket, ...joinCommands(commands)]);
    if (status === 0) return stdout;
    throw new RelayError('TMUX_FAILED', `tmux: ${stderr.trim() || `exit code ${status}`}`);
  }

  /** As `run`, for questions: undefined when there is no server or no such thing. */
  ask(command: readonly string[]): string | undefined {
    const { status, stdout } = this.#spawn([...this.#socket, ...joinCommands([command])]);
    return status === 0 ? stdout : undefined;
  }

  /** Shows the session in this terminal until it is detached or ends. Returns the exit code of tmux. */
  attach(session: string): number {
    const words = [...this.#socket, 'attach-session', '-t', `=${session}`];
    return spawnSync('tmux', words, { stdio: 'inherit', env: this.#env }).status ?? 1;
  }

  #spawn(words: readonly string[]): { status: number | null; stdout: string; stderr: string } {
    const result = spawnSync('tmux', words, { encoding: 'utf8', env: this.#env });
    if (result.error === undefined) return result;
    if (systemCode(result.error) !== 'ENOENT') {
      throw new RelayError('TMUX_FAILED', `tmux cannot be run`, { cause: result.error });
    }
    throw new RelayError('TMUX_MISSING', 'there is no tmux on PATH', { cause: result.error });
  }
}

/** `tmux 3.3a`, `tmux next-3.5`: major and minor. */
export function parseVersion(text: string): [number, number] | undefined {
  const found = /^tmux (?:next-)?(\d+)\.(\d+)/.exec(text);
  return found === null ? undefined : [Number(found[1]), Number(found[2])];
}

/** A `;` of its own separates commands; one at the end of a word would, too, and gets its backslash. */
export function joinCommands(commands: readonly (readonly string[])[]): string[] {
  return commands.flatMap((words, index) => [
    ...(index === 0 ? [] : [';']),
    ...words.map((word) => word.replace(/;$/, '\\;')),
  ]);
}
