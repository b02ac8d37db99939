/** A throwaway HOME and project folder: the agent finds a fresh machine, and nothing of the person's. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** How an agent is started on this fresh machine so that it asks nothing: file, arguments, environment. */
export interface Launch {
  file: string;
  args: string[];
  env: Record<string, string>;
}

export class Sandbox {
  readonly root = mkdtempSync(join(tmpdir(), 'agent-wrap-agents-'));
  readonly home = join(this.root, 'home');
  readonly cwd = join(this.root, 'project');

  constructor() {
    mkdirSync(this.home);
    mkdirSync(this.cwd);
  }

  /** The environment of every agent here: nothing of ours leaks into it but PATH. */
  get env(): Record<string, string> {
    return {
      HOME: this.home,
      PATH: process.env.PATH ?? '/usr/bin:/bin',
      TERM: 'xterm-256color',
      COLORTERM: 'truecolor',
      LANG: 'C.UTF-8',
      SHELL: '/bin/bash',
      USER: 'tester',
    };
  }

  /** Writes a file below HOME. */
  write(path: string, text: string): void {
    const file = join(this.home, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }

  close(): void {
    // A killed agent's last writes may race with us.
    rmSync(this.root, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
}
