/**
 * Deliveries → keystrokes: gate → paste → its echo → pause → gate again → submit key → confirmed → ACK.
 * One at a time, never twice, never into a draft or a dialog. real-agents.md §6; P9, P12, P16.
 */
import type { Prepared, ScreenView } from '../agents/adapter.ts';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { sanitize } from '../base/sanitize.ts';
import type { DeliverEnvelope } from '../protocol/envelope.ts';
import { CANONICAL_LINE_BYTES, pasteBytes, SUBMIT } from './paste.ts';
import { type Obstacle, obstacle, type Surroundings } from './readiness.ts';
import { render, shortId } from './render.ts';

/** The agent's terminal, as the injector sees and uses it. */
export interface AgentTerminal {
  /** One item of the FIFO: no key of the person comes in between. Resolves when the agent's side has it. */
  write(bytes: Buffer): Promise<void>;
  /** The screen, when no redraw is under way. */
  view(): Promise<ScreenView>;
  /** How the terminal treats lines now; undefined where it cannot be asked. */
  lineMode(): Promise<{ canonical: boolean; echo: boolean } | undefined>;
  /** Monotonic milliseconds of the agent's last output and of the person's last key. */
  readonly lastOutputAt: number;
  readonly lastKeyAt: number;
  /** The person's keys since the last submit key. */
  readonly keysSinceSubmit: number;
  /** Calls back once, when there was output or a key since. */
  onceChanged(listener: () => void): void;
}

export interface InjectorOptions {
  terminal: AgentTerminal;
  agent: Pick<Prepared, 'state' | 'inputBox' | 'typeWhileBusy' | 'native'>;
  /** The agent's box and state are known; else it is a program we know nothing of. */
  known: boolean;
  /** The agent's speech is read from the screen. */
  echoed: boolean;
  /** `auto`: by keys when that is safe at once, else by the native channel if there is one. */
  mode: 'auto' | 'keys' | 'native';
  /** Goes before the first message: the briefing of an agent that has no other place for it. */
  preface?: string | undefined;
  /** May this delivery still be typed (P9)? */
  mayType: (envelope: DeliverEnvelope) => boolean;
  clock: Clock;
  log: Log;
}

export interface InjectorHandlers {
  /** It was submitted. */
  submitted(envelope: DeliverEnvelope): void;
  /** It was not, and never will be by us. `NOT_CONFIRMED`: it may have been all the same. */
  refused(
    envelope: DeliverEnvelope,
    code: 'EXPIRED' | 'NOT_CONFIRMED' | 'MESSAGE_TOO_LARGE',
    message: string,
  ): void;
  /** What we wait for has changed; undefined: for nothing. */
  waiting?(reason: Obstacle | undefined): void;
}

/** Pause between the paste and the submit key: agents take what comes sooner as part of the paste. */
const SETTLE_MS = 120;
/** How long the echo of a paste may take. */
const ECHO_MS = 4_000;
/** How long a known agent may take to show that it took the submit key, and how often the key is pressed. */
const CONFIRM_MS = 1_500;
const SUBMIT_TRIES = 3;
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
/** Redraws come in bursts: one look for each is enough. */
const BURST_MS = 10;

export class Injector {
  readonly #options: InjectorOptions;
  readonly #handlers: InjectorHandlers;
  readonly #queue: DeliverEnvelope[] = [];
  #state: 'idle' | 'working' | 'closed' = 'idle';
  #held = false;
  #reason: Obstacle | undefined;
  #prefaced = false;
  #nativeFailedAt = Number.NEGATIVE_INFINITY;
  /** Ids in the queue that are the daemon's again. */
  readonly #released = new Set<string>();
  /** Ids that the agent's own record of its prompts has shown. */
  readonly #prompted = new Set<string>();

  constructor(options: InjectorOptions, handlers: InjectorHandlers) {
    this.#options = options;
    this.#handlers = handlers;
  }

  /** What stands in the way of the next delivery. */
  get reason(): Obstacle | undefined {
    return this.#reason;
  }

  get waiting(): number {
    return this.#queue.length;
  }

  /** Takes a delivery; it is ended by one call of `submitted` or `refused`, unless it is released or we close. */
  add(envelope: DeliverEnvelope): void {
    this.#queue.push(envelope);
    if (this.#state === 'idle') void this.#work();
  }

  /** These are the daemon's again: they are not typed, unless one stands in the agent's box already. */
  release(ids: readonly string[]): void {
    for (const id of ids) if (this.#queue.some((envelope) => envelope.id === id)) this.#released.add(id);
  }

  /** The person's word: nothing is typed until it is taken back. */
  hold(held: boolean): void {
    this.#held = held;
  }

  /** A prompt the agent has taken, as its own record shows it: the surest confirmation. */
  prompted(text: string): void {
    for (const envelope of this.#queue.slice(0, 1)) {
      if (text.includes(shortId(envelope))) this.#prompted.add(envelope.id);
    }
  }

  /** Stops. What was not submitted stays unACKed: the daemon keeps it. */
  close(): void {
    this.#state = 'closed';
  }

  async #work(): Promise<void> {
    this.#state = 'working';
    while (this.#queue.length > 0 && !this.#closed()) {
      const envelope = this.#queue[0] as DeliverEnvelope;
      try {
        await this.#inject(envelope);
      } catch (error) {
        this.#options.log.error('inject.failed', { id: envelope.id, error });
        this.#handlers.refused(envelope, 'NOT_CONFIRMED', 'the wrapper failed while it typed the message');
      }
      this.#queue.shift();
      this.#prompted.delete(envelope.id);
      this.#released.delete(envelope.id);
    }
    this.#report(undefined);
    if (!this.#closed()) this.#state = 'idle';
  }

  #closed(): boolean {
    return this.#state === 'closed';
  }

  async #inject(envelope: DeliverEnvelope): Promise<void> {
    const { terminal, log, clock } = this.#options;
    const way = await this.#clear(envelope);
    if (way === 'none') return;
    if (way === 'native') return this.#handOver(envelope);
    const view = await terminal.view();
    const bytes = pasteBytes(this.#text(envelope), view.bracketedPaste);
    const mode = await terminal.lineMode();
    if (mode?.canonical === true && bytes.length > CANONICAL_LINE_BYTES) {
      const message = `the agent reads lines of at most ${CANONICAL_LINE_BYTES} bytes; this one has ${bytes.length}`;
      return this.#handlers.refused(envelope, 'MESSAGE_TOO_LARGE', message);
    }
    log.debug('inject.paste', { id: envelope.id, bytes: bytes.length });
    await terminal.write(bytes);
    const pastedAt = clock.monotonic();
    if (!(await this.#until(() => this.#echoed(envelope), ECHO_MS))) {
      // Without an echo an Enter could answer anything: a dialog, a search box, a password prompt.
      return this.#handlers.refused(
        envelope,
        'NOT_CONFIRMED',
        'the agent did not show the text that was typed',
      );
    }
    await this.#until(async () => clock.monotonic() - pastedAt >= SETTLE_MS, SETTLE_MS * 2);
    await this.#submit(envelope, pastedAt);
  }

  /** Waits for a way to the agent. `none`: it is not ours to give any more, or it has expired. */
  async #clear(envelope: DeliverEnvelope): Promise<'keys' | 'native' | 'none'> {
    for (;;) {
      if (this.#closed() || this.#released.has(envelope.id)) return 'none';
      const expiresAt = envelope.delivery.expires_at;
      if (expiresAt !== undefined && this.#options.clock.now() >= expiresAt) {
        this.#handlers.refused(envelope, 'EXPIRED', 'its time to live ended before the agent was ready');
        return 'none';
      }
      const reason = obstacle(await this.#surroundings(envelope)) ?? (await this.#hidden());
      const way = this.#way(reason);
      this.#report(way === undefined ? reason : undefined);
      // Looking took a moment, in which it may have been taken back: look at that last.
      if (way !== undefined) return this.#closed() || this.#released.has(envelope.id) ? 'none' : way;
      await this.#pause(reason === 'typing' || reason === 'printing' ? LOOK_MS : IDLE_LOOK_MS);
    }
  }

  #way(reason: Obstacle | undefined): 'keys' | 'native' | undefined {
    const { agent, mode, clock } = this.#options;
    const rested = clock.monotonic() - this.#nativeFailedAt >= NATIVE_PAUSE_MS;
    const native = agent.native !== undefined && mode !== 'keys' && rested;
    if (native && (reason === undefined ? mode === 'native' : KEYS_ONLY.has(reason))) return 'native';
    const keys = mode !== 'native' || agent.native === undefined;
    return keys && reason === undefined ? 'keys' : undefined;
  }

  /** By the agent's own channel. Refused, the message is surely not there, and goes on waiting. */
  async #handOver(envelope: DeliverEnvelope): Promise<void> {
    const { agent, clock, log } = this.#options;
    try {
      await agent.native?.deliver(this.#text(envelope), shortId(envelope));
    } catch (error) {
      log.warn('inject.native-failed', { id: envelope.id, error });
      this.#nativeFailedAt = clock.monotonic();
      return this.#inject(envelope);
    }
    this.#submitted(envelope);
  }

  /** A terminal that edits lines and does not echo them asks for a password. Asked last: it costs a process. */
  async #hidden(): Promise<Obstacle | undefined> {
    if (this.#options.known) return undefined;
    const mode = await this.#options.terminal.lineMode();
    return mode?.canonical === true && !mode.echo ? 'no-echo' : undefined;
  }

  /** Presses the submit key, alone, and waits for a sign that it was taken; never types the text again. */
  async #submit(envelope: DeliverEnvelope, pastedAt: number): Promise<void> {
    const { terminal, known, log } = this.#options;
    for (let tries = 1; tries <= SUBMIT_TRIES; tries++) {
      // The state again: a dialog may have opened since the paste, and the key would answer it.
      const open = await this.#until(() => this.#maySubmit(envelope), ECHO_MS);
      // What the person has typed meanwhile stands in the box with our text: submitting is up to them.
      if (!open || terminal.lastKeyAt > pastedAt) break;
      await terminal.write(SUBMIT);
      if (!known) return this.#submitted(envelope);
      if (await this.#until(() => this.#taken(envelope), CONFIRM_MS))
        return this.#handlers.submitted(envelope);
      log.info('inject.submit-again', { id: envelope.id, tries });
    }
    this.#handlers.refused(
      envelope,
      'NOT_CONFIRMED',
      'the agent did not take the text that stands in its input box',
    );
  }

  #submitted(envelope: DeliverEnvelope): void {
    this.#prefaced = true;
    this.#handlers.submitted(envelope);
  }

  #text(envelope: DeliverEnvelope): string {
    const { preface, echoed } = this.#options;
    const text = render(envelope, { echoed });
    return preface === undefined || this.#prefaced ? text : `${sanitize(preface)}\n\n${text}`;
  }

  async #maySubmit(envelope: DeliverEnvelope): Promise<boolean> {
    const { agent, known } = this.#options;
    const { state } = agent.state;
    if (state === 'dialog' || state === 'starting' || (state === 'busy' && !agent.typeWhileBusy))
      return false;
    return !known || this.#echoed(envelope);
  }

  /** The text stands in the box, as itself or as a chip for a long paste. */
  async #echoed(envelope: DeliverEnvelope): Promise<boolean> {
    const { terminal, agent, known } = this.#options;
    const view = await terminal.view();
    const box = known ? agent.inputBox(view) : undefined;
    if (known) return box !== undefined && box.mode === 'prompt' && shows(box.text, envelope);
    return shows(view.rows().join(''), envelope);
  }

  async #taken(envelope: DeliverEnvelope): Promise<boolean> {
    if (this.#prompted.has(envelope.id)) return true;
    const { terminal, agent } = this.#options;
    const box = agent.inputBox(await terminal.view());
    return box !== undefined && box.mode === 'prompt' && !shows(box.text, envelope);
  }

  async #surroundings(envelope: DeliverEnvelope): Promise<Surroundings> {
    const { terminal, agent, known, clock, mayType } = this.#options;
    const box = known ? (agent.inputBox(await terminal.view()) ?? 'missing') : 'unknown';
    return {
      now: clock.monotonic(),
      state: agent.state.state,
      box,
      keysSinceSubmit: terminal.keysSinceSubmit,
      lastKeyAt: terminal.lastKeyAt,
      lastOutputAt: terminal.lastOutputAt,
      held: this.#held,
      relayReady: mayType(envelope),
      typeWhileBusy: agent.typeWhileBusy,
    };
  }

  async #until(condition: () => Promise<boolean>, withinMs: number): Promise<boolean> {
    const deadline = this.#options.clock.monotonic() + withinMs;
    while (!this.#closed()) {
      if (await condition()) return true;
      if (this.#options.clock.monotonic() >= deadline) return false;
      await this.#pause(LOOK_MS);
    }
    return false;
  }

  /** Until the terminal has changed, `ms` at most. */
  #pause(ms: number): Promise<void> {
    const { clock, terminal } = this.#options;
    return new Promise((resolve) => {
      const timer = clock.after(ms, resolve);
      terminal.onceChanged(() => {
        timer.cancel();
        clock.after(BURST_MS, resolve);
      });
    });
  }

  #report(reason: Obstacle | undefined): void {
    if (this.#reason === reason) return;
    this.#reason = reason;
    this.#handlers.waiting?.(reason);
  }
}

/** A chip such as `[Pasted text #1 +5 lines]`: agents show long pastes so. */
const CHIP = /\[Pasted[^\]]*\]/i;

/** Blanks do not count: boxes wrap where they like. */
const shows = (text: string, envelope: DeliverEnvelope): boolean =>
  text.replace(/\s+/g, '').includes(shortId(envelope)) || CHIP.test(text);
