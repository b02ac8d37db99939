/**
 * Speaks to opencode through its server: works while it is busy, asks something, or a draft stands in its box.
 * Goes to the session that is shown, with the agent and model the person chose for it. real-agents.md §5.
 */
import type { Clock } from '../base/clock.ts';
import { RelayError } from '../base/errors.ts';
import type { NativeChannel } from './adapter.ts';
import type { SessionInfo } from './opencode-event.ts';
import type { OpencodeServer } from './opencode-server.ts';
import type { OpencodeSessions, Target } from './opencode-sessions.ts';
import type { OpencodeState } from './opencode-state.ts';

/** Milliseconds for opencode to show the prompt in its session; seen: 40–1,100, and 12 s on a crowded machine. */
const CONFIRM_MS = 60_000;

/** Titles are cut in the terminal's: this many characters, then an ellipsis. */
const TITLE_UNITS = 37;

export interface OpencodeNativeOptions {
  server: OpencodeServer;
  sessions: OpencodeSessions;
  state: OpencodeState;
  clock: Clock;
}

export class OpencodeNative implements NativeChannel {
  readonly name = 'prompt_async';
  readonly #options: OpencodeNativeOptions;
  /** Prompts handed over and not yet seen in the session. */
  readonly #waiting = new Map<string, () => void>();

  constructor(options: OpencodeNativeOptions) {
    this.#options = options;
  }

  /** A prompt stands in a session. */
  taken(text: string): void {
    this.#waiting.get(text)?.();
  }

  async deliver(text: string): Promise<void> {
    const { session, choice } = this.#target();
    const body = { ...choice, parts: [{ type: 'text', text }] };
    const seen = this.#seen(text);
    try {
      await this.#options.server.post(`/session/${session.id}/prompt_async`, body).catch((error: unknown) => {
        // It may have the prompt: what it shows decides.
        if (!(error instanceof RelayError && error.code === 'NOT_CONFIRMED')) throw error;
      });
      await seen.arrival;
    } finally {
      seen.forget();
    }
  }

  async close(): Promise<void> {
    this.#waiting.clear();
  }

  #target(): Target {
    const { server, sessions, state } = this.#options;
    const target = sessions.target;
    const refuse = (why: string) => new RelayError('REJECTED', why, { retryable: true });
    if (!server.open) throw refuse('opencode does not answer on its port');
    if (!target) throw refuse('opencode shows no conversation yet');
    if (state.title !== undefined && !isTitleOf(state.title, target.session)) {
      throw refuse('opencode shows another session than the one it was last asked in');
    }
    // A change of agent (build, plan) stands in the box before any prompt tells it.
    const { agent } = state;
    if (agent !== undefined && agent.toLowerCase() !== target.choice.agent?.toLowerCase()) {
      throw refuse('the person has chosen another agent of opencode');
    }
    return target;
  }

  #seen(text: string): { arrival: Promise<void>; forget(): void } {
    let forget = () => {};
    const arrival = new Promise<void>((resolve, reject) => {
      const late = () =>
        reject(new RelayError('NOT_CONFIRMED', 'opencode took the prompt and did not show it in time'));
      const timer = this.#options.clock.after(CONFIRM_MS, late, { unref: true });
      this.#waiting.set(text, resolve);
      forget = () => {
        timer.cancel();
        this.#waiting.delete(text);
      };
    });
    // Rejects late when the request itself has failed already.
    arrival.catch(() => {});
    return { arrival, forget };
  }
}

/** opencode's title for the terminal names the session shown, unless that has no name of its own yet. */
export function isTitleOf(title: string, session: SessionInfo): boolean {
  if (title === 'OpenCode') return /^(New|Child) session - /.test(session.title);
  const shown = title.replace(/^OC \| /, '');
  return shown.endsWith('…')
    ? session.title.slice(0, TITLE_UNITS) === shown.slice(0, -1)
    : session.title === shown;
}
