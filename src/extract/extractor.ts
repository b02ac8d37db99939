/**
 * What the agent says → directives. Pure, incremental and linear: any split of the text gives the same
 * directives, and no line is looked at more than twice. Spec §9, P25, P26.
 *
 * Nothing swallows what follows it: a bad block ends at its closing marker; a block whose marker does
 * not come ends at the next `[[RELAY]]`, at the size limit, 200 lines after it went bad, or at `flush`,
 * and its lines are then read once more as the ordinary text they are.
 */

import { Stripper } from '../base/strip.ts';
import { BLOCK_OPEN, Block, type BlockState, type SourceLine } from './block.ts';
import { excerpt, type Found, type Rejection } from './directive.ts';
import { closesFence, type Fence, openingFence } from './fence.ts';
import { parseInline, tooLong } from './inline.ts';
import { MAX_DIRECTIVE_BYTES } from './limits.ts';

/** Units kept of one line: whatever is longer is refused whole, so its end need not be kept. */
const MAX_LINE_UNITS = MAX_DIRECTIVE_BYTES + BLOCK_OPEN.length;

export interface ExtractorOptions {
  /** Told about everything that looks like a directive and is none. */
  onReject?: (rejection: Rejection) => void;
  /** Lines after which an unclosed fence ends; for a screen, whose messages have no end (P26). */
  fenceLines?: number;
  /** The text is known to hold no control sequences: the lines of a screen. */
  plain?: boolean;
}

export class Extractor {
  readonly #onReject: (rejection: Rejection) => void;
  readonly #fenceLines: number;
  readonly #plain: boolean;
  readonly #stripper = new Stripper();
  /** Where in the source the next unit pushed stands, and where the current line began. */
  #position = 0;
  #lineOffset = 0;
  #line = '';
  #context:
    | { in: 'text' }
    | { in: 'fence'; fence: Fence; offset: number; lines: number }
    | { in: 'block'; block: Block } = TEXT;
  #found: Found[] = [];

  constructor(options: ExtractorOptions = {}) {
    this.#onReject = options.onReject ?? (() => {});
    this.#fenceLines = options.fenceLines ?? Number.POSITIVE_INFINITY;
    this.#plain = options.plain ?? false;
  }

  /** Takes more of the text; returns the directives that became complete, in order. */
  push(text: string): Found[] {
    // The stripper keeps every line feed, so source and stripped text have the same lines.
    const plain = this.#plain ? text : this.#stripper.push(text);
    let from = 0;
    let plainFrom = 0;
    for (let lf = text.indexOf('\n'); lf >= 0; lf = text.indexOf('\n', from)) {
      const plainLf = plain.indexOf('\n', plainFrom);
      if (this.#line !== '' || this.#context.in !== 'text' || mayMatter(plain.charCodeAt(plainFrom))) {
        this.#append(plain.slice(plainFrom, plainLf));
        this.#endLine();
      }
      plainFrom = plainLf + 1;
      from = lf + 1;
      this.#lineOffset = this.#position + from;
    }
    this.#append(plain.slice(plainFrom));
    this.#position += text.length;
    return this.#take();
  }

  /** The end of a message: the last line needs no line feed, open blocks and fences end (P26). */
  flush(): Found[] {
    this.#stripper.reset();
    if (this.#line !== '') this.#endLine();
    this.#lineOffset = this.#position;
    if (this.#context.in === 'block') this.#giveUp(this.#context.block, 'it has no closing marker');
    this.#context = TEXT;
    return this.#take();
  }

  /** So much of the source is not to be had: what comes next stands behind it. Only between two messages or blocks. */
  skip(units: number): void {
    this.#position += units;
    this.#lineOffset = this.#position;
  }

  /** Back to the start, for a new source: forgets what is incomplete; offsets count from 0 again. */
  reset(): void {
    this.#stripper.reset();
    this.#position = 0;
    this.#lineOffset = 0;
    this.#line = '';
    this.#context = TEXT;
  }

  #take(): Found[] {
    const found = this.#found;
    this.#found = [];
    return found;
  }

  #append(text: string): void {
    const room = MAX_LINE_UNITS + 1 - this.#line.length;
    this.#line += text.length > room ? text.slice(0, room) : text;
  }

  #endLine(): void {
    const line = { text: this.#line, offset: this.#lineOffset };
    this.#line = '';
    this.#read(line);
  }

  #read(line: SourceLine): void {
    const context = this.#context;
    if (context.in === 'block') this.#readInBlock(context.block, line);
    else if (context.in === 'text') this.#readText(line);
    else if (closesFence(line.text, context.fence)) this.#context = TEXT;
    else if (++context.lines >= this.#fenceLines) {
      this.#context = TEXT;
      const reason = `a code fence was still open after ${context.lines} lines`;
      this.#onReject({ code: 'FENCE_UNCLOSED', reason, excerpt: '', offset: context.offset });
    }
  }

  #readText(line: SourceLine): void {
    const { text, offset } = line;
    if (text.startsWith(BLOCK_OPEN)) {
      const block = new Block(offset);
      this.#context = { in: 'block', block };
      this.#advance(block, block.open(text.slice(BLOCK_OPEN.length)));
      return;
    }
    const fence = openingFence(text);
    if (fence !== undefined) {
      this.#context = { in: 'fence', fence, offset, lines: 0 };
      return;
    }
    const result = text.length > MAX_LINE_UNITS ? overlong(text) : parseInline(text);
    if (result === undefined) return;
    if ('directive' in result) this.#found.push({ directive: result.directive, offset });
    else this.#onReject({ code: 'DIRECTIVE_INVALID', reason: result.reason, excerpt: excerpt(text), offset });
  }

  #readInBlock(block: Block, line: SourceLine): void {
    if (line.text.startsWith(BLOCK_OPEN)) {
      this.#giveUp(block, 'it has no closing marker before the next block');
      this.#read(line);
    } else this.#advance(block, block.add(line));
  }

  #advance(block: Block, state: BlockState): void {
    if (state === 'lost') this.#giveUp(block, 'it has no closing marker');
    if (state !== 'closed') return;
    this.#context = TEXT;
    const result = block.parse();
    if ('directive' in result) this.#found.push({ directive: result.directive, offset: block.offset });
    else this.#rejectBlock(block, result.reason);
  }

  /** Its lines become ordinary text. None of them is an opener, so each is read again once only. */
  #giveUp(block: Block, reason: string): void {
    this.#context = TEXT;
    this.#rejectBlock(block, block.badReason ?? reason);
    for (const line of block.lines) this.#read(line);
  }

  #rejectBlock(block: Block, reason: string): void {
    this.#onReject({ code: 'BLOCK_INVALID', reason, excerpt: excerpt(block.text), offset: block.offset });
  }
}

const TEXT = { in: 'text' } as const;

/** A line whose end was not kept: too long for a directive, and nothing if it does not begin like one. */
function overlong(text: string): ReturnType<typeof parseInline> {
  const head = parseInline(`${text.slice(0, 128)}…`);
  return head === undefined ? undefined : { reason: tooLong };
}

/** Whether a line that begins like this can open anything: `[[`, `>>`, a fence, or its indentation. */
const mayMatter = (code: number): boolean =>
  code === 0x5b || code === 0x3e || code === 0x60 || code === 0x7e || code === 0x20;
