/** Plays terminal output into SettledLines and an extractor, with the time of a recording. */
import type { Directive } from '../../src/extract/directive.ts';
import { Extractor } from '../../src/extract/extractor.ts';
import { type CastEvent, readCast } from '../../src/terminal/cast.ts';
import type { Profile } from '../../src/terminal/gutter.ts';
import { RecordedClock } from '../../src/terminal/recorded-clock.ts';
import { SettledLines } from '../../src/terminal/settled-lines.ts';

export interface Played {
  lines: string[];
  directives: Directive[];
}

export interface PlayOptions {
  cols?: number;
  rows?: number;
  /** Bytes a piece; or how to cut one output. */
  cut?: (bytes: Buffer) => Buffer[];
  profile?: Profile;
  convertEol?: boolean;
}

export const everyByte = (bytes: Buffer): Buffer[] => Array.from(bytes, (byte) => Buffer.of(byte));

export async function play(
  events: AsyncIterable<CastEvent> | Iterable<CastEvent>,
  options: PlayOptions = {},
): Promise<Played> {
  const {
    cols = 80,
    rows = 24,
    cut = (bytes: Buffer) => [bytes],
    profile = 'generic',
    convertEol = false,
  } = options;
  const clock = new RecordedClock();
  const extractor = new Extractor();
  const lines: string[] = [];
  const directives: Directive[] = [];
  const onLines = (text: string) => {
    lines.push(...text.split('\n').slice(0, -1));
    directives.push(...extractor.push(text).map((found) => found.directive));
  };
  const settled = new SettledLines({ cols, rows, clock, onLines, profile, convertEol });
  for await (const event of events) {
    await settled.drained();
    clock.advanceTo(event.time * 1000);
    if (event.kind === 'o') for (const piece of cut(Buffer.from(event.text))) settled.push(piece);
    if (event.kind === 'r') settled.resize(event.cols, event.rows);
  }
  await settled.flush();
  settled.close();
  directives.push(...extractor.flush().map((found) => found.directive));
  return { lines, directives };
}

/** All of it at once, without any time passing. */
export const playText = (text: string, options: PlayOptions = {}): Promise<Played> =>
  play([{ time: 0, kind: 'o', text }], options);

/** Outputs at a steady pace, in seconds. */
export const frames = (texts: readonly string[], pace = 0.2): CastEvent[] =>
  texts.map((text, at) => ({ time: at * pace, kind: 'o', text }));

export const castFile = (name: string): string =>
  new URL(`../../fixtures/casts/${name}.cast`, import.meta.url).pathname;

export async function playFile(name: string, options: PlayOptions = {}): Promise<Played> {
  const { header, events } = await readCast(castFile(name));
  return play(events, { cols: header.width, rows: header.height, ...options });
}
