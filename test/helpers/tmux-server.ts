/** A tmux server of a test's own: private socket, home and relay, no configuration. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { COMMAND } from './outer-terminal.ts';

const SOCKET = 'agent-wrap-test';

/** False (with a line that says so) where there is no tmux: `apt-get install -y tmux`. */
export const hasTmux = (() => {
  const found = spawnSync('tmux', ['-V']).status === 0;
  if (!found) process.stderr.write('tmux is not installed: its tests are skipped\n');
  return found;
})();

export class TmuxServer {
  readonly home = mkdtempSync(join(tmpdir(), 'aw-tmux-'));
  readonly env: NodeJS.ProcessEnv = {
    PATH: process.env.PATH,
    HOME: this.home,
    XDG_STATE_HOME: join(this.home, 'state'),
    TMUX_TMPDIR: this.home,
    TERM: 'xterm-256color',
    LANG: 'C.UTF-8',
  };
  readonly socket = ['-L', SOCKET];

  /** Runs one command of tmux; throws what it says against it. */
  tmux(...words: string[]): string {
    const { status, stdout, stderr } = this.try('tmux', ...this.socket, ...words);
    if (status !== 0) throw new Error(`tmux ${words.join(' ')}: ${stderr}`);
    return stdout.replace(/\n$/, '');
  }

  /** Runs `agent-wrap tmux …` on this server. */
  agentWrap(...words: string[]) {
    return this.try(...COMMAND, 'tmux', ...words, '--socket-name', SOCKET);
  }

  try(file: string, ...words: string[]) {
    return spawnSync(file, words, { env: this.env, encoding: 'utf8', cwd: this.home });
  }

  /** A value of tmux's formats, of a pane or a window. */
  show(target: string, format: string): string {
    return this.tmux('display-message', '-p', '-t', target, format);
  }

  /** All that is to be seen of a pane, history and colours included. */
  capture(target: string): string {
    return this.tmux('capture-pane', '-p', '-e', '-S', '-', '-t', target);
  }

  /** For afterEach: nothing stays behind. */
  close(): void {
    this.try('tmux', ...this.socket, 'kill-server');
    rmSync(this.home, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  }
}
