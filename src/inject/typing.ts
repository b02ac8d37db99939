/**
 * One text into the agent's input box: paste → its echo → pause → submit key alone → a sign that it was
 * taken. The text is typed once, whatever happens. real-agents.md §6.
 */
import type { Prepared, ScreenView } from '../agents/adapter.ts';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { CANONICAL_LINE_BYTES, pasteBytes, SUBMIT } from './paste.ts';
import type { Changing, Patience } from './patience.ts';
import { PERSON_QUIET_MS } from './readiness.ts';

/** The agent's terminal, as it is seen and used. */
export interface AgentTerminal extends Changing {
  /** One item of the FIFO: no key of the person comes in between. Resolves when the agent's side has it. */
  write(bytes: Buffer): Promise<void>;
  /** As `write`; and the person's keys wait, for a second at most, until the hold is released. */
  paste(bytes: Buffer): Promise<Hold>;
  /** The screen, when no redraw is under way. */
  view(): Promise<ScreenView>;
  /** How the terminal treats lines now; undefined where it cannot be asked. */
  lineMode(): Promise<{ canonical: boolean; echo: boolean } | undefined>;
  /** Monotonic milliseconds of the agent's last output and of the person's last key. */
  readonly lastOutputAt: number;
  readonly lastKeyAt: number;
  /** The person's keys since the last submit key. */
  readonly keysSinceSubmit: number;
}

/** The person's keys are kept back. */
export interface Hold {
  /** They are not any more: the person interrupted, or had waited long enough. */
  readonly broken: 'no' | 'interrupted' | 'late';
  /** They go to the agent, in order. Twice is fine. */
  release(): void;
}

export interface TypingOptions {
  terminal: AgentTerminal;
  agent: Pick<Prepared, 'state' | 'inputBox' | 'typeWhileBusy'>;
  /** The agent's box and state are known; else it is a program we know nothing of. */
  known: boolean;
  patience: Patience;
  clock: Clock;
  log: Log;
}

/** What is typed, and by what it is recognised on the screen. */
export interface Typed {
  text: string;
  /** Words of the text, any of which shows that it stands there. */
  marks: readonly string[];
  /** The agent's own record says that it took the text. */
  taken: () => boolean;
}

export type TypingResult =
  | { outcome: 'submitted' }
  /** The person threw it out of the box before it was submitted: the agent has nothing of it. */
  | { outcome: 'withdrawn' }
  /** Nothing was typed. */
  | { outcome: 'refused'; code: 'MESSAGE_TOO_LARGE'; message: string }
  /** It was typed, and nobody knows whether it was taken. */
  | { outcome: 'refused'; code: 'NOT_CONFIRMED'; message: string };

/** Pause between the paste and the submit key: agents take what comes sooner as part of the paste. */
const SETTLE_MS = 120;
/** How long the echo of a paste may take: a busy machine, an agent that wakes up. */
const ECHO_MS = 10_000;
/** How long the person may take to submit or clear our text, if their keys came among it. */
const THEIRS_MS = 10_000;
/** How long a known agent may take to show that it took the submit key, and how often the key is pressed. */
const CONFIRM_MS = 1_500;
const SUBMIT_TRIES = 3;
/** How long a text must be gone from the box: Gemini CLI, in the midst of a redraw, shows another's place. */
const GONE_MS = 200;

const notConfirmed = (message: string): TypingResult => ({
  outcome: 'refused',
  code: 'NOT_CONFIRMED',
  message,
});

export async function typeIn(typed: Typed, options: TypingOptions): Promise<TypingResult> {
  const { terminal, log } = options;
  const view = await terminal.view();
  const bytes = pasteBytes(typed.text, view.bracketedPaste);
  const mode = await terminal.lineMode();
  if (mode?.canonical === true && bytes.length > CANONICAL_LINE_BYTES) {
    const message = `the agent reads lines of at most ${CANONICAL_LINE_BYTES} bytes; this one has ${bytes.length}`;
    return { outcome: 'refused', code: 'MESSAGE_TOO_LARGE', message };
  }
  log.debug('inject.paste', { marks: typed.marks, bytes: bytes.length });
  const hold = await terminal.paste(bytes);
  try {
    return await carryOn(typed, options, hold);
  } finally {
    hold.release();
  }
}

/** From the paste to a sign that it was taken. */
async function carryOn(typed: Typed, options: TypingOptions, hold: Hold): Promise<TypingResult> {
  const { terminal, patience, clock } = options;
  let shown = false;
  const seen = async () => {
    shown = await echoed(typed, options);
    return shown || hold.broken === 'interrupted';
  };
  if (!(await patience.until(seen, ECHO_MS))) {
    // Without an echo an Enter could answer anything: a dialog, a search box, a password prompt.
    return notConfirmed('the agent did not show the text that was typed');
  }
  const echo = shown ? await boxText(options) : undefined;
  if (shown) await patience.sleep(SETTLE_MS);
  let freeSince: number | undefined;
  const meddled = () => (freeSince === undefined ? hold.broken !== 'no' : terminal.lastKeyAt >= freeSince);
  const letGo = () => {
    freeSince ??= clock.monotonic();
    hold.release();
  };
  const result = await submit(typed, options, { meddled, letGo });
  if (result !== undefined) return result;
  if (!meddled()) return notConfirmed('the agent did not take the text that stands in its input box');
  const theirs = await leftToPerson(typed, options, { hold, echo });
  if (theirs !== 'intact') return theirs;
  freeSince = clock.monotonic();
  const again = await submit(typed, options, { meddled, letGo });
  return again ?? notConfirmed('the agent did not take the text that stands in its input box');
}

/** Presses the submit key, alone, and waits for a sign that it was taken; undefined: there was none. */
async function submit(
  typed: Typed,
  options: TypingOptions,
  keys: { meddled: () => boolean; letGo: () => void },
): Promise<TypingResult | undefined> {
  const { terminal, agent, known, patience, log } = options;
  for (let tries = 1; tries <= SUBMIT_TRIES; tries++) {
    // The state again: a dialog may have opened since the paste, and the key would answer it. While it is
    // open the text waits in the box below, for as long as the person lets it, and their keys are for it.
    const open = await patience.until(
      async () => {
        if (inTheWay(agent)) keys.letGo();
        return keys.meddled() || (await mayPress(typed, options));
      },
      ECHO_MS,
      () => inTheWay(agent),
    );
    // What the person has typed meanwhile stands in the box with our text: submitting is up to them.
    if (!open || keys.meddled()) return undefined;
    await terminal.write(SUBMIT);
    if (!known) return { outcome: 'submitted' };
    if (await patience.until(forGood(typed, options), CONFIRM_MS)) return { outcome: 'submitted' };
    log.info('inject.submit-again', { marks: typed.marks, tries });
  }
  return undefined;
}

/**
 * The person's keys came among the text before it was submitted: it is theirs to submit or to throw away.
 * `intact`: their keys did nothing to it (an Escape that stopped an answer), and they are done.
 */
async function leftToPerson(
  typed: Typed,
  options: TypingOptions,
  { hold, echo }: { hold: Hold; echo: string | undefined },
): Promise<TypingResult | 'intact'> {
  const { terminal, agent, known, patience, clock, log } = options;
  let before = echo;
  log.info('inject.interrupted', { marks: typed.marks, by: hold.broken });
  if (!known) return notConfirmed('the person typed into the text');
  let intact = false;
  const over = async () => {
    if (before === undefined && (await echoed(typed, options))) before = await boxText(options);
    const quiet = clock.monotonic() - terminal.lastKeyAt >= PERSON_QUIET_MS;
    intact = quiet && before !== undefined && (await boxText(options)) === before;
    // A text that was not shown so far may be on its way into the box.
    return intact || typed.taken() || (before !== undefined && (await isTaken(typed, options)));
  };
  const ended = await patience.until(over, THEIRS_MS, () => inTheWay(agent));
  if (!ended && !(before === undefined && (await isTaken(typed, options)))) {
    return notConfirmed('the person typed into the text that stands in the input box');
  }
  if (intact) return 'intact';
  if (await patience.until(async () => typed.taken(), CONFIRM_MS)) return { outcome: 'submitted' };
  // A text that an Enter sent away makes the agent work, or stands in the record of its prompts.
  const cleared = hold.broken === 'interrupted' && agent.state.state === 'ready';
  return cleared ? { outcome: 'withdrawn' } : notConfirmed('the person cleared or submitted the text');
}

function inTheWay(agent: TypingOptions['agent']): boolean {
  const { state } = agent.state;
  return state === 'dialog' || state === 'starting' || (state === 'busy' && !agent.typeWhileBusy);
}

async function mayPress(typed: Typed, options: TypingOptions): Promise<boolean> {
  if (inTheWay(options.agent)) return false;
  return !options.known || echoed(typed, options);
}

/** The text stands in the box, as itself or as a chip for a long paste. */
async function echoed(typed: Typed, { terminal, agent, known }: TypingOptions): Promise<boolean> {
  const view = await terminal.view();
  if (!known) return shows(view.rows().join(''), typed);
  const box = agent.inputBox(view);
  return box !== undefined && box.mode === 'prompt' && shows(box.text, typed);
}

/** What stands in the input box; undefined where there is none to type into. */
async function boxText({ terminal, agent, known }: TypingOptions): Promise<string | undefined> {
  const box = known ? agent.inputBox(await terminal.view()) : undefined;
  return box?.mode === 'prompt' ? box.text : undefined;
}

/** Taken, and not only out of sight for a moment. */
function forGood(typed: Typed, options: TypingOptions): () => Promise<boolean> {
  const { clock } = options;
  let goneSince: number | undefined;
  return async () => {
    if (typed.taken()) return true;
    if (!(await isTaken(typed, options))) {
      goneSince = undefined;
      return false;
    }
    goneSince ??= clock.monotonic();
    return clock.monotonic() - goneSince >= GONE_MS;
  };
}

async function isTaken(typed: Typed, { terminal, agent }: TypingOptions): Promise<boolean> {
  if (typed.taken()) return true;
  const box = agent.inputBox(await terminal.view());
  return box !== undefined && box.mode === 'prompt' && !shows(box.text, typed);
}

/** A chip such as `[Pasted text #1 +5 lines]`: agents show long pastes so. */
const CHIP = /\[Pasted[^\]]*\]/i;

/** Blanks do not count: boxes wrap where they like. */
function shows(text: string, { marks }: Typed): boolean {
  const dense = text.replace(/\s+/g, '');
  return marks.some((mark) => dense.includes(mark)) || CHIP.test(text);
}
