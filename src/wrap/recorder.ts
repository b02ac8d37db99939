/**
 * `--record`: what passes between the person and the agent, into a recording. It hears of bytes after they
 * were passed on, and never delays them. Input is recorded only on request, and never what is typed where
 * the terminal does not echo a line: that is how programs ask for secrets.
 */
import type { Clock, Timer } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { CastFile } from '../terminal/cast-file.ts';
import type { LineMode } from '../terminal/line-mode.ts';

/** Bytes of input that may wait for an answer about the terminal; a larger paste is not recorded. */
const MAX_WAITING_BYTES = 1024 * 1024;
/** Milliseconds between two questions that only output has caused: each is a process. */
const PAUSE_MS = 20;

type AskMode = (agentTty: string) => Promise<LineMode | undefined>;

export class Recorder {
  readonly #file: CastFile;
  readonly #askMode: AskMode | undefined;
  readonly #clock: Clock;
  readonly #log: Log;
  #agentTty: string | undefined;
  #state: 'idle' | 'asking' | 'pausing' | 'closed' = 'idle';
  /** Input since the last question was asked. */
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  /** The agent has printed since the last question was asked: a prompt may just have switched the echo off. */
  #stale = false;
  /** A line was sent since the last question was asked: its answer says nothing of that line. */
  #lineEnded = false;
  /** The last answer: may what is typed be shown? Unknown is no. */
  #open = false;
  #pause: Timer | undefined;

  /** @param askMode how to ask for the terminal's line mode; undefined: input is not recorded. */
  constructor(file: CastFile, askMode: AskMode | undefined, clock: Clock, log: Log) {
    this.#file = file;
    this.#askMode = askMode;
    this.#clock = clock;
    this.#log = log;
  }

  /** The agent runs in the terminal at `agentTty`. */
  start(agentTty: string): void {
    this.#agentTty = agentTty;
    if (this.#state === 'idle') this.#ask();
  }

  output(chunk: Buffer): void {
    this.#file.output(chunk);
    this.#stale = true;
    if (this.#state === 'idle') this.#ask();
  }

  input(chunk: Buffer): void {
    if (this.#askMode === undefined || this.#state === 'closed') return;
    if (endsLine(chunk)) this.#lineEnded = true;
    if (this.#waitingBytes + chunk.length > MAX_WAITING_BYTES) {
      this.#withhold(chunk.length, 'too much at once');
      return;
    }
    this.#waiting.push(chunk);
    this.#waitingBytes += chunk.length;
    if (this.#state !== 'asking') this.#ask();
  }

  resize(cols: number, rows: number): void {
    this.#file.resize(cols, rows);
  }

  /** Twice is fine. */
  close(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#pause?.cancel();
    // Without an answer about the terminal, the safe side.
    this.#withhold(this.#waitingBytes, 'the agent ended');
    this.#file.close();
  }

  /** One question at a time; `#answered` sees to what comes meanwhile. */
  #ask(): void {
    if (this.#askMode === undefined || this.#agentTty === undefined) return;
    this.#pause?.cancel();
    this.#state = 'asking';
    this.#stale = false;
    this.#lineEnded = false;
    const typed = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    void this.#askMode(this.#agentTty).then((mode) => this.#answered(mode, typed));
  }

  /**
   * `typed` came before the question. It is recorded if the terminal was open in this answer and in the one
   * before, and if its line was not sent before this answer: until then the program cannot have read it, so
   * the answer is about the very prompt it was typed at.
   */
  #answered(mode: LineMode | undefined, typed: readonly Buffer[]): void {
    const bytes = typed.reduce((sum, chunk) => sum + chunk.length, 0);
    if (this.#state === 'closed') return this.#withhold(bytes, 'the agent ended');
    const wasOpen = this.#open;
    // A program that reads key by key draws the echo itself; only a line without echo asks for a secret.
    this.#open = mode !== undefined && (mode.echo || !mode.canonical);
    const tooLate = this.#lineEnded || (typed.some(endsLine) && !typed.every(isLineEnd));
    if (mode === undefined) this.#withhold(bytes, 'the terminal cannot be asked');
    else if (!wasOpen || !this.#open) this.#withhold(bytes, 'no echo');
    else if (tooLate) this.#withhold(bytes, 'sent before the terminal could be asked');
    else for (const chunk of typed) this.#file.input(chunk);
    this.#state = 'idle';
    if (this.#waitingBytes > 0) this.#ask();
    else if (this.#stale) {
      this.#state = 'pausing';
      this.#pause = this.#clock.after(PAUSE_MS, () => this.#ask(), { unref: true });
    }
  }

  #withhold(bytes: number, reason: string): void {
    if (bytes > 0) this.#log.info('record.withheld', { bytes, reason });
  }
}

/** Return, Enter, and the keys by which a terminal gives a line up: ^C ^D ^Z ^\. */
const LINE_END = /[\r\n\x03\x04\x1a\x1c]/;

const endsLine = (chunk: Buffer): boolean => LINE_END.test(chunk.toString('latin1'));

/** One such key alone: nothing of a secret is in it. */
const isLineEnd = (chunk: Buffer): boolean => chunk.length === 1 && endsLine(chunk);
