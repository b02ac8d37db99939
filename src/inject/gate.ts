/**
 * The gate before every delivery: waits until there is a way to the agent, by keys or by its own channel, and
 * tells what stands in it. real-agents.md §6; P9.
 */
import type { NativeChannel } from '../agents/adapter.ts';
import type { Clock } from '../base/clock.ts';
import type { DeliverEnvelope } from '../protocol/envelope.ts';
import type { Patience } from './patience.ts';
import { type Obstacle, obstacle, type Surroundings } from './readiness.ts';
import type { TypingOptions } from './typing.ts';

export interface GateOptions extends Pick<TypingOptions, 'terminal' | 'known' | 'clock'> {
  agent: TypingOptions['agent'] & { native: NativeChannel | undefined };
  /** `auto`: by keys when that is safe at once, else by the native channel if there is one. */
  mode: 'auto' | 'keys' | 'native';
  /** May this delivery still be typed (P9)? */
  mayType: (envelope: DeliverEnvelope) => boolean;
}

/** Where the person has said that it is held. */
export type Holder = 'terminal' | 'relay';

export type Way = 'keys' | 'native';

/** How often the surroundings are looked at while time alone may clear them, and while only a change may. */
const LOOK_MS = 50;
const IDLE_LOOK_MS = 500;
/** Pause after a native channel failed: meanwhile keys are tried, where they may be. */
const NATIVE_PAUSE_MS = 10_000;
/** What a native channel need not wait for: it is the agent's own queue. */
const KEYS_ONLY: ReadonlySet<Obstacle> = new Set([
  'typing',
  'draft',
  'dialog',
  'busy',
  'other-view',
  'no-box',
  'printing',
  'no-echo',
]);

export class Gate {
  readonly #options: GateOptions;
  readonly #patience: Patience;
  readonly #changed: (reason: Obstacle | undefined) => void;
  readonly #holds = new Set<Holder>();
  #reason: Obstacle | undefined;
  #nativeFailedAt = Number.NEGATIVE_INFINITY;

  /** `changed`: what we wait for is another; undefined: nothing. */
  constructor(
    options: GateOptions,
    patience: Patience,
    changed: (reason: Obstacle | undefined) => void = () => {},
  ) {
    this.#options = options;
    this.#patience = patience;
    this.#changed = changed;
  }

  /** What stands in the way of the delivery that waits. */
  get reason(): Obstacle | undefined {
    return this.#reason;
  }

  /** The person's word, given at the agent's terminal or to the relay: nothing is typed until it is taken back. */
  hold(by: Holder, held: boolean): void {
    if (held) this.#holds.add(by);
    else this.#holds.delete(by);
  }

  /** The native channel did not work: for a while it is no way. */
  nativeFailed(): void {
    this.#nativeFailedAt = this.#options.clock.monotonic();
  }

  /** Nothing waits any more. */
  clear(): void {
    this.#report(undefined);
  }

  /** Waits for a way to the agent. `gone`: it is not ours to give any more. */
  async pass(envelope: DeliverEnvelope, gone: () => boolean): Promise<Way | 'gone' | 'expired'> {
    for (;;) {
      if (gone()) return 'gone';
      if (hasExpired(envelope, this.#options.clock)) return 'expired';
      const reason = obstacle(await this.#surroundings(envelope)) ?? (await this.#hidden());
      const way = this.#way(reason);
      // Handed over behind a question, it waits there as well.
      const waits = way === undefined || (way === 'native' && reason === 'dialog');
      this.#report(waits ? (reason ?? 'no-channel') : undefined);
      // Looking took a moment, in which it may have been taken back: look at that last.
      if (way !== undefined) return gone() ? 'gone' : way;
      await this.#patience.pause(reason === 'typing' || reason === 'printing' ? LOOK_MS : IDLE_LOOK_MS);
    }
  }

  #way(reason: Obstacle | undefined): Way | undefined {
    const { agent, mode, clock } = this.#options;
    const rested = clock.monotonic() - this.#nativeFailedAt >= NATIVE_PAUSE_MS;
    const native = agent.native !== undefined && mode !== 'keys' && rested;
    if (native && (reason === undefined ? mode === 'native' : KEYS_ONLY.has(reason))) return 'native';
    const keys = mode !== 'native' || agent.native === undefined;
    return keys && reason === undefined ? 'keys' : undefined;
  }

  /** A terminal that edits lines and does not echo them asks for a password. Asked last: it costs a process. */
  async #hidden(): Promise<Obstacle | undefined> {
    if (this.#options.known) return undefined;
    const mode = await this.#options.terminal.lineMode();
    return mode?.canonical === true && !mode.echo ? 'no-echo' : undefined;
  }

  async #surroundings(envelope: DeliverEnvelope): Promise<Surroundings> {
    const { terminal, agent, known, clock, mayType } = this.#options;
    const view = known ? await terminal.view() : undefined;
    // All agents we know switch bracketed paste on when they are ready for text: before, it would be keys.
    const box = view === undefined ? 'unknown' : (view.bracketedPaste && agent.inputBox(view)) || 'missing';
    return {
      now: clock.monotonic(),
      state: agent.state.state,
      box,
      keysSinceSubmit: terminal.keysSinceSubmit,
      lastKeyAt: terminal.lastKeyAt,
      lastOutputAt: terminal.lastOutputAt,
      held: this.#holds.size > 0,
      relayReady: mayType(envelope),
      typeWhileBusy: agent.typeWhileBusy,
    };
  }

  #report(reason: Obstacle | undefined): void {
    if (this.#reason === reason) return;
    this.#reason = reason;
    this.#changed(reason);
  }
}

/** Its time to live has ended (P12). */
export const hasExpired = ({ delivery }: DeliverEnvelope, clock: Clock): boolean =>
  delivery.expires_at !== undefined && clock.now() >= delivery.expires_at;
