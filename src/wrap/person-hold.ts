/** The person's hold on one agent, by the chord: hold, release, see what waits. docs/people.md "The chord". */
import type { Clock, Timer } from '../base/clock.ts';
import type { Injector } from '../inject/injector.ts';
import { Chord } from '../terminal/chord.ts';
import type { StatusTitle } from './status-title.ts';

/** What completes the chord. */
const HOLD_KEYS = { hold: 'h', look: 'w' } as const;
/** Milliseconds for which an answer stays in the title. */
const SHOWN_MS = 4000;

export interface PersonHoldOptions {
  name: string;
  /** What begins the chord, with Ctrl. */
  character: string;
  /** Before there is an agent there is none. */
  injector: () => Injector | undefined;
  title: StatusTitle;
  /** The person has held or released it. */
  changed: () => void;
  clock: Clock;
}

export class PersonHold {
  readonly #options: PersonHoldOptions;
  #held = false;
  #timer: Timer | undefined;

  constructor(options: PersonHoldOptions) {
    this.#options = options;
  }

  get held(): boolean {
    return this.#held;
  }

  /** Listens for the chord in the person's input; `pass` takes the rest. */
  listen(pass: (chunk: Buffer) => void): Chord {
    const { character, clock } = this.#options;
    const actions = Object.values(HOLD_KEYS);
    return new Chord({ character, actions, clock, pass, pressed: (key) => this.#pressed(key) });
  }

  /** Another message waits, or one less. */
  changed(): void {
    if (!this.#held) return;
    this.#timer?.cancel();
    const { name, character, title } = this.#options;
    title.show(`${name} is held (Ctrl-${character} ${HOLD_KEYS.hold} releases): ${this.#count()}`);
  }

  /** The title is the agent's again. */
  close(): void {
    this.#timer?.cancel();
    this.#options.title.hide();
  }

  #pressed(key: string): void {
    if (key === HOLD_KEYS.hold) {
      this.#held = !this.#held;
      this.#options.injector()?.hold('terminal', this.#held);
      this.#options.changed();
      if (!this.#held) this.#answer(`${this.#options.name} is released`);
      else this.changed();
    } else if (key === HOLD_KEYS.look) this.#answer(this.#waiting());
  }

  #waiting(): string {
    const reason = this.#options.injector()?.reason;
    return `${this.#options.name}: ${this.#count()}${reason === undefined ? '' : ` (${reason})`}`;
  }

  #count(): string {
    const waiting = this.#options.injector()?.waiting ?? 0;
    return waiting === 0 ? 'nothing waits' : waiting === 1 ? '1 message waits' : `${waiting} messages wait`;
  }

  #answer(text: string): void {
    const { title, clock } = this.#options;
    title.show(text);
    this.#timer?.cancel();
    const after = () => (this.#held ? this.changed() : title.hide());
    this.#timer = clock.after(SHOWN_MS, after, { unref: true });
  }
}
