/** `agent-wrap extract [file]`: shows which directives we would find in a text or a recording. */
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { Command, InvalidArgumentError, Option } from 'commander';
import { RelayError, systemCode } from '../base/errors.ts';
import { strip } from '../base/strip.ts';
import type { Found } from '../extract/directive.ts';
import { Extractor } from '../extract/extractor.ts';
import { renderLiteral } from '../extract/inline.ts';
import { SCREEN_FENCE_LINES } from '../extract/limits.ts';
import { readCast } from '../terminal/cast.ts';
import { PROFILES, type Profile } from '../terminal/gutter.ts';
import { RecordedClock } from '../terminal/recorded-clock.ts';
import { SettledLines } from '../terminal/settled-lines.ts';
import { TypedLines } from '../terminal/typed-lines.ts';
import { throwUsage } from './usage.ts';

interface Options {
  format: 'text' | 'raw' | 'cast';
  cols: number;
  rows: number;
  chunk?: number;
  profile: Profile;
  text?: true;
}

export function command(): Command {
  return throwUsage(new Command('extract'))
    .description('Print the directives in a file or stdin as JSON, one a line; refused ones go to stderr.')
    .argument('[file]', 'what to read; - is stdin', '-')
    .addOption(new Option('--format <format>', 'what it is').choices(['text', 'raw', 'cast']).default('text'))
    .option('--cols <n>', 'width of the terminal (raw)', size, 80)
    .option('--rows <n>', 'height of the terminal (raw)', size, 24)
    .option('--chunk <n>', 'feed that many bytes at a time', positive)
    .addOption(new Option('--profile <agent>', 'whose screen it is').choices(PROFILES).default('generic'))
    .option('--text', 'print the lines that were read instead, escapes shown as the literal they mean')
    .addHelpText(
      'after',
      `
Examples:
  agent-wrap extract answer.md
  agent-wrap extract --format raw --cols 120 --rows 40 session.log
  agent-wrap extract --format cast --profile claude session.cast`,
    )
    .action(run);
}

async function run(file: string, options: Options): Promise<void> {
  const input = file === '-' ? process.stdin : createReadStream(file);
  try {
    if (options.format === 'text') await readText(input, options);
    else if (options.format === 'raw') await readRaw(input, options);
    else await playCast(input, options);
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    throw new RelayError('FILE_UNREADABLE', `cannot read ${file}`, { cause: error });
  }
}

async function readText(input: Readable, options: Options): Promise<void> {
  const extractor = newExtractor();
  const decoder = new StringDecoder('utf8');
  let text = '';
  for await (const bytes of pieces(input, options.chunk)) {
    const piece = decoder.write(bytes);
    if (options.text) text += piece;
    else show(extractor.push(piece));
  }
  if (options.text) process.stdout.write(renderLiteral(strip(text + decoder.end())));
  else show([...extractor.push(decoder.end()), ...extractor.flush()]);
}

async function readRaw(input: Readable, options: Options): Promise<void> {
  const reader = new ScreenReader(options, new RecordedClock());
  let settled: SettledLines | undefined;
  for await (const chunk of input as AsyncIterable<Buffer>) {
    settled ??= reader.open(options.cols, options.rows, !endsLinesWithCr(chunk));
    for (const piece of split(chunk, options.chunk)) {
      if (!settled.push(piece)) await settled.drained();
    }
  }
  await reader.close();
}

async function playCast(input: Readable, options: Options): Promise<void> {
  const { header, events } = await readCast(input);
  const clock = new RecordedClock((header.timestamp ?? 0) * 1000);
  const reader = new ScreenReader(options, clock);
  const settled = reader.open(header.width, header.height, false);
  for await (const event of events) {
    await settled.drained();
    clock.advanceTo(event.time * 1000);
    if (event.kind === 'r') settled.resize(event.cols, event.rows);
    else if (event.kind === 'i') reader.typed.note(event.text);
    else for (const piece of split(Buffer.from(event.text), options.chunk)) settled.push(piece);
  }
  await reader.close();
}

/** Lines of a screen into the extractor, but for those the person typed. */
class ScreenReader {
  readonly typed: TypedLines;
  readonly #options: Options;
  readonly #clock: RecordedClock;
  readonly #extractor = newExtractor(SCREEN_FENCE_LINES);
  #settled: SettledLines | undefined;

  constructor(options: Options, clock: RecordedClock) {
    this.#options = options;
    this.#clock = clock;
    this.typed = new TypedLines({ redrawn: options.profile !== 'generic' });
  }

  open(cols: number, rows: number, convertEol: boolean): SettledLines {
    const { profile } = this.#options;
    this.#settled = new SettledLines({
      cols,
      rows,
      convertEol,
      profile,
      clock: this.#clock,
      onLines: (text) => this.#read(text),
    });
    return this.#settled;
  }

  async close(): Promise<void> {
    await this.#settled?.flush();
    this.#settled?.close();
    if (!this.#options.text) show(this.#extractor.flush());
  }

  #read(text: string): void {
    if (this.#options.text) process.stdout.write(renderLiteral(text));
    else show(this.#extractor.push(this.typed.withoutEcho(text)));
  }
}

const newExtractor = (fenceLines?: number): Extractor =>
  new Extractor({
    ...(fenceLines === undefined ? {} : { fenceLines }),
    onReject: ({ code, reason, excerpt, offset }) =>
      process.stderr.write(`agent-wrap: at ${offset}: ${reason} [${code}]: ${JSON.stringify(excerpt)}\n`),
  });

function show(found: readonly Found[]): void {
  for (const { directive } of found) process.stdout.write(`${JSON.stringify(directive)}\n`);
}

/** A recorded PTY ends its lines with CR LF; a file of lines made otherwise is shown as lines too. */
function endsLinesWithCr(bytes: Buffer): boolean {
  const lf = bytes.indexOf('\n');
  return lf > 0 && bytes[lf - 1] === 0x0d;
}

async function* pieces(input: Readable, length: number | undefined): AsyncGenerator<Buffer> {
  for await (const chunk of input) yield* split(chunk as Buffer, length);
}

function* split(bytes: Buffer, length = bytes.length): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
}

function positive(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new InvalidArgumentError('It must be a whole number above 0.');
  return value;
}

/** Cells in one direction; the emulator allocates them all. */
function size(text: string): number {
  const value = positive(text);
  if (value < 2 || value > 1000) throw new InvalidArgumentError('It must be between 2 and 1000.');
  return value;
}
