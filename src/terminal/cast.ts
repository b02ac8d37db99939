/** Recordings of a terminal: asciicast v2, read as a stream and written as it happens. */
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { RelayError } from '../base/errors.ts';

export interface CastHeader {
  version: 2;
  width: number;
  height: number;
  timestamp?: number;
  /** What was run, as one line. */
  command?: string;
  title?: string;
  env?: Record<string, string>;
}

/** What a player may want to know of the environment, and nothing else of it. */
export function castEnv(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const { TERM, SHELL } = env;
  return { ...(TERM === undefined ? {} : { TERM }), ...(SHELL === undefined ? {} : { SHELL }) };
}

/** `time` in seconds from the start. `o` output, `i` input, `r` resize; others are passed over. */
export type CastEvent =
  | { time: number; kind: 'o' | 'i'; text: string }
  | { time: number; kind: 'r'; cols: number; rows: number };

/** Reads a recording; throws FILE_UNREADABLE, with the line's number, at the first line that is none. */
export async function readCast(
  source: string | Readable,
): Promise<{ header: CastHeader; events: AsyncGenerator<CastEvent> }> {
  const input = typeof source === 'string' ? createReadStream(source) : source;
  const lines = splitLines(input);
  const first = await lines.next();
  if (first.done === true) throw broken(1, 'it is empty');
  return { header: parseHeader(first.value), events: readEvents(lines) };
}

/** Characters of one line of a recording: far above what one read of a PTY can make of it. */
const MAX_LINE_CHARS = 16 * 1024 * 1024;

/** `node:readline` would not do: it splits at U+2028 too, which JSON leaves as it is. */
async function* splitLines(input: Readable): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  for await (const chunk of input) {
    const lines = (rest + decoder.write(chunk as Buffer)).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
    if (rest.length > MAX_LINE_CHARS)
      throw new RelayError('FILE_UNREADABLE', 'a line of the recording is too long');
  }
  rest += decoder.end();
  if (rest !== '') yield rest;
}

async function* readEvents(lines: AsyncIterable<string>): AsyncGenerator<CastEvent> {
  let number = 1;
  for await (const line of lines) {
    number++;
    if (line.trim() === '') continue;
    const event = parseEvent(line, number);
    if (event !== undefined) yield event;
  }
}

function parseHeader(line: string): CastHeader {
  const value = parseJson(line, 1);
  if (typeof value !== 'object' || value === null || !('version' in value) || value.version !== 2) {
    throw broken(1, 'it is not an asciicast v2 header');
  }
  const header = value as Partial<CastHeader>;
  if (!isSize(header.width) || !isSize(header.height)) throw broken(1, 'width and height are missing');
  return value as CastHeader;
}

function parseEvent(line: string, number: number): CastEvent | undefined {
  const value = parseJson(line, number);
  if (!Array.isArray(value)) throw broken(number, 'an event is [time, kind, text]');
  const [time, kind, text] = value as unknown[];
  if (typeof time !== 'number' || typeof kind !== 'string' || typeof text !== 'string') {
    throw broken(number, 'an event is [time, kind, text]');
  }
  if (kind === 'o' || kind === 'i') return { time, kind, text };
  if (kind !== 'r') return undefined;
  const [cols, rows] = text.split('x').map(Number);
  if (!isSize(cols) || !isSize(rows)) throw broken(number, 'a resize is "COLSxROWS"');
  return { time, kind, cols, rows };
}

function parseJson(line: string, number: number): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw broken(number, 'it is not JSON', cause);
  }
}

/** A screen is allocated for it, so a size is judged first. */
const isSize = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value > 0 && value <= 1000;

const broken = (line: number, reason: string, cause?: unknown): RelayError =>
  new RelayError('FILE_UNREADABLE', `line ${line} of the recording is broken: ${reason}`, {
    suggestion: 'record it again: asciicast version 2 is what we read',
    cause,
  });

/** Writes a recording line by line. Characters split over chunks are kept whole. */
export class CastWriter {
  readonly #write: (line: string) => void;
  readonly #decoders = { o: new StringDecoder('utf8'), i: new StringDecoder('utf8') };

  /** `write` takes one line with its line feed. */
  constructor(header: CastHeader, write: (line: string) => void) {
    this.#write = write;
    this.#line(header);
  }

  /** Adds output or input; `seconds` from the start of the recording. */
  bytes(seconds: number, kind: 'o' | 'i', bytes: Buffer): void {
    const text = this.#decoders[kind].write(bytes);
    if (text !== '') this.#line([seconds, kind, text]);
  }

  resize(seconds: number, cols: number, rows: number): void {
    this.#line([seconds, 'r', `${cols}x${rows}`]);
  }

  /** Writes what an incomplete character left. */
  end(seconds: number): void {
    for (const kind of ['o', 'i'] as const) {
      const rest = this.#decoders[kind].end();
      if (rest !== '') this.#line([seconds, kind, rest]);
    }
  }

  #line(value: unknown): void {
    this.#write(`${JSON.stringify(value)}\n`);
  }
}
