/**
 * One open `[[RELAY]]` block: collects its lines, finds its end outside JSON strings, parses it. Spec §9.
 *
 * No line of a valid block can begin with `[[RELAY]]`, `>>` or a fence, because a JSON string cannot
 * hold a raw line feed: so the next opener always ends a block, and a bad one is known by its first
 * bad line.
 */
import type { Directive } from './directive.ts';
import { isTarget, tooLong } from './inline.ts';
import { MAX_BAD_BLOCK_LINES, MAX_BLOCK_DEPTH, MAX_DIRECTIVE_BYTES } from './limits.ts';

export const BLOCK_OPEN = '[[RELAY]]';
export const BLOCK_CLOSE = '[[/RELAY]]';

export interface SourceLine {
  text: string;
  offset: number;
}

/** `open`: wants more lines. `closed`: the closing marker was seen. `lost`: it will not come any more. */
export type BlockState = 'open' | 'closed' | 'lost';

export class Block {
  readonly offset: number;
  /** The lines after the opener's own: what is read again as ordinary text when the block is lost. */
  readonly lines: SourceLine[] = [];
  #text = '';
  #depth = 0;
  #complete = false;
  /** Why it cannot be valid any more; then only its closing marker is waited for. */
  #bad: string | undefined;
  #badLines = 0;

  constructor(offset: number) {
    this.offset = offset;
  }

  get text(): string {
    return this.#text;
  }

  /** Why it is not valid, as far as is known without parsing it. */
  get badReason(): string | undefined {
    return this.#bad;
  }

  /** Takes what stands after the opener on its line. What does not begin an object there is prose. */
  open(rest: string): BlockState {
    const state = this.#scan(rest);
    return state === 'open' && this.#bad !== undefined && this.#depth === 0 ? 'lost' : state;
  }

  /** Takes a further line. */
  add(line: SourceLine): BlockState {
    this.lines.push(line);
    if (this.#bad !== undefined) this.#badLines++;
    if (this.#badLines > MAX_BAD_BLOCK_LINES) return 'lost';
    return this.#scan(line.text);
  }

  #scan(line: string): BlockState {
    // Units never exceed bytes, and a count of units does not depend on how the input was split.
    if (this.#text.length + line.length > MAX_DIRECTIVE_BYTES) {
      this.#bad = tooLong;
      return 'lost';
    }
    const end = this.#bad === undefined ? this.#scanJson(line) : line.indexOf(BLOCK_CLOSE);
    this.#text += end < 0 ? `${line}\n` : line.slice(0, end);
    return end < 0 ? 'open' : 'closed';
  }

  /** Where the closing marker stands in this line, or -1. Sets `#bad` when no JSON object can come of it. */
  #scanJson(line: string): number {
    let inString = false;
    for (let at = 0; at < line.length; at++) {
      const char = line.charAt(at);
      if (inString) {
        if (char === '\\') at++;
        else if (char === '"') inString = false;
      } else if (char === '[' && line.startsWith(BLOCK_CLOSE, at)) {
        return at;
      } else if (char !== ' ' && char !== '\t') {
        if (this.#complete) return this.#fail(line, 'text follows its JSON object');
        if (this.#depth === 0 && char !== '{') return this.#fail(line, 'it is not a JSON object');
        if (char === '"') inString = true;
        else if (char === '{' || char === '[') this.#depth++;
        else if (char === '}' || char === ']') this.#complete = --this.#depth === 0;
        if (this.#depth > MAX_BLOCK_DEPTH) {
          return this.#fail(line, `it is nested deeper than ${MAX_BLOCK_DEPTH} levels`);
        }
      }
    }
    return inString ? this.#fail(line, 'a line ends inside a JSON string') : -1;
  }

  #fail(line: string, reason: string): number {
    this.#bad = reason;
    return line.indexOf(BLOCK_CLOSE);
  }

  /** The directive of a closed block, or the reason why there is none. */
  parse(): { directive: Directive } | { reason: string } {
    if (this.#bad !== undefined) return { reason: this.#bad };
    if (Buffer.byteLength(this.#text) > MAX_DIRECTIVE_BYTES) return { reason: tooLong };
    let value: unknown;
    try {
      value = JSON.parse(this.#text);
    } catch (error) {
      const why = error instanceof Error ? error.message.replace(/\s+/g, ' ') : '';
      return { reason: `it is not valid JSON (${why})` };
    }
    return toDirective(value);
  }
}

/** Spec §9 and issue 2: `to`, `type` (default `message`), `body`, `topic`, `thread`, `data`. */
function toDirective(value: unknown): { directive: Directive } | { reason: string } {
  if (!isObject(value)) return { reason: 'it is not a JSON object' };
  if (hasProtoKey(value)) return { reason: 'it has a key "__proto__"' };
  const { to, type = 'message', body, topic, thread, data } = value;
  if (typeof to !== 'string') return { reason: '"to" is missing or not a string' };
  if (!isTarget(to)) return { reason: '"to" is not an agent name' };
  if (typeof body !== 'string') return { reason: '"body" is missing or not a string' };
  if (typeof type !== 'string' || type === '') return { reason: '"type" is not a non-empty string' };
  if (topic !== undefined && typeof topic !== 'string') return { reason: '"topic" is not a string' };
  if (thread !== undefined && typeof thread !== 'string') return { reason: '"thread" is not a string' };
  if (data !== undefined && !isObject(data)) return { reason: '"data" is not an object' };
  return {
    directive: {
      to,
      kind: type,
      body,
      ...(topic === undefined ? {} : { topic }),
      ...(thread === undefined ? {} : { thread }),
      ...(data === undefined ? {} : { data }),
    },
  };
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** JSON.parse makes `__proto__` an own key; whoever copies the object naively would change a prototype. */
function hasProtoKey(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (Object.hasOwn(value, '__proto__')) return true;
  return Object.values(value).some(hasProtoKey);
}
