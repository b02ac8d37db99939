/**
 * `npx tsx bench/extract.ts`: megabytes a second through the extraction side, beside UTF-8 decoding alone
 * and beside strip-ansi + line split + regex, in one process. Prints a table and one JSON line.
 */
import { StringDecoder } from 'node:string_decoder';
import stripAnsi from 'strip-ansi';
import { Extractor } from '../src/extract/extractor.ts';
import { RecordedClock } from '../src/terminal/recorded-clock.ts';
import { SettledLines } from '../src/terminal/settled-lines.ts';

const ROUNDS = 5;
/** What one read of a PTY gives at most. */
const CHUNK_BYTES = 4095;
const MEGABYTES = { printed: 32, drawn: 4 };

const words = 'the quick brown fox jumps over the lazy dog, przez żółte trawy';

function plain(bytes: number): Buffer {
  const line = (at: number) => (at % 50 === 0 ? `>>relay:bob message ${at}\r\n` : `${at} ${words}\r\n`);
  return repeat(bytes, line);
}

function coloured(bytes: number): Buffer {
  return repeat(bytes, (at) =>
    at % 50 === 0
      ? `\x1b[36m>>relay:\x1b[1mbob\x1b[0m message ${at}\r\n`
      : `\x1b[2m${at}\x1b[0m \x1b[38;5;${at % 256}m${words}\x1b[0m\r\n`,
  );
}

/** Frames of a live area that is erased and printed again, a finished line above it now and then. */
function redrawn(bytes: number): Buffer {
  const box = '╭────────────────────╮\r\n│ >                  │\r\n╰────────────────────╯';
  const erase = `\x1b[2K${'\x1b[1A\x1b[2K'.repeat(3)}\x1b[G`;
  return repeat(bytes, (at) => {
    const text = `>>relay:bob message ${Math.floor(at / 15)} ${words}`;
    const live = text.slice(0, 4 * (at % 15) + 4);
    const done = at % 15 === 14 ? `${text}\r\n` : '';
    return `${at === 0 ? '\x1b[?25l' : erase}${done}${live}\r\n${box}`;
  });
}

function repeat(bytes: number, part: (at: number) => string): Buffer {
  const parts: string[] = [];
  for (let at = 0, length = 0; length < bytes; at++) {
    const text = part(at);
    parts.push(text);
    length += Buffer.byteLength(text);
  }
  return Buffer.from(parts.join(''));
}

type Method = (feed: Iterable<Buffer>) => Promise<number>;

function* chunks(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) yield bytes.subarray(at, at + CHUNK_BYTES);
}

const METHODS: Record<string, Method> = {
  'UTF-8 decode only': async (feed) => {
    const decoder = new StringDecoder('utf8');
    let units = 0;
    for (const chunk of feed) units += decoder.write(chunk).length;
    return units > 0 ? 0 : -1;
  },
  'strip-ansi + lines + regex': async (feed) => {
    const decoder = new StringDecoder('utf8');
    let rest = '';
    let found = 0;
    for (const chunk of feed) {
      const lines = (rest + decoder.write(chunk)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) if (/^>>(?:relay|thinking):(\S+)\s+(.+?)\s*$/.test(stripAnsi(line))) found++;
    }
    return found;
  },
  'agent-wrap: extractor on text': async (feed) => {
    const decoder = new StringDecoder('utf8');
    const extractor = new Extractor();
    let found = 0;
    for (const chunk of feed) found += extractor.push(decoder.write(chunk)).length;
    return found + extractor.flush().length;
  },
  'agent-wrap: terminal to directives': async (feed) => {
    const extractor = new Extractor();
    let found = 0;
    const onLines = (text: string) => {
      found += extractor.push(text).length;
    };
    const clock = new RecordedClock();
    const settled = new SettledLines({ cols: 80, rows: 24, clock, onLines });
    let time = 0;
    for (const chunk of feed) {
      const more = settled.push(chunk);
      // The agent rate that terminal.md assumes, 100 kB/s: the screen is looked at as often as it would be.
      time += CHUNK_BYTES / 100;
      if (!more || time > clock.monotonic() + 100) {
        await settled.drained();
        clock.advanceTo(time);
      }
    }
    await settled.flush();
    settled.close();
    return found;
  },
};

const STREAMS: Record<string, Buffer> = {
  plain: plain(MEGABYTES.printed * 1e6),
  coloured: coloured(MEGABYTES.printed * 1e6),
  'TUI redraw': redrawn(MEGABYTES.drawn * 1e6),
};

const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1] ?? 0;

interface Measured {
  rates: number[];
  found: number;
}

const measured = new Map<string, Measured>();
const of = (method: string, stream: string): Measured => {
  const key = `${method}\0${stream}`;
  const entry = measured.get(key) ?? { rates: [], found: 0 };
  measured.set(key, entry);
  return entry;
};
for (let round = 0; round <= ROUNDS; round++) {
  for (const [stream, bytes] of Object.entries(STREAMS)) {
    for (const [method, run] of Object.entries(METHODS)) {
      const start = process.cpuUsage();
      const entry = of(method, stream);
      entry.found = await run(chunks(bytes));
      const { user, system } = process.cpuUsage(start);
      // The first round warms up the compiler.
      if (round > 0) entry.rates.push(bytes.length / (user + system));
    }
  }
}

console.log(`MB per CPU second, ${CHUNK_BYTES}-byte chunks, median of ${ROUNDS} (directives found)`);
const names = Object.keys(STREAMS);
const rate = (method: string, stream: string): number => median(of(method, stream).rates);
console.log(' '.repeat(36) + names.map((name) => name.padStart(18)).join(''));
for (const method of Object.keys(METHODS)) {
  const cells = names.map((name) =>
    `${rate(method, name).toFixed(1)} (${of(method, name).found})`.padStart(18),
  );
  console.log(method.padEnd(36) + cells.join(''));
}
const row = (method: string) =>
  Object.fromEntries(names.map((name) => [name, Number(rate(method, name).toFixed(1))]));
const result = Object.fromEntries(Object.keys(METHODS).map((method) => [method, row(method)]));
console.log(
  JSON.stringify({ bench: 'extract', unit: 'MB/cpu-s', rounds: ROUNDS, node: process.version, result }),
);
