/** Length-prefixed frames: 4-byte big-endian length, then UTF-8 JSON. docs/protocol.md §2 (spec §2, P5). */
import { RelayError } from '../base/errors.ts';
import { MAX_FRAME_BYTES } from './limits.ts';
import type { Utf8 } from './utf8.ts';

/** Bytes before the body: its length. */
export const HEADER_BYTES = 4;
const NOTHING = Buffer.alloc(0);

/** Text → one frame. The caller has judged the size; a body over 4 GiB cannot be made here. */
export function encodeFrame(json: string): Buffer {
  const length = Buffer.byteLength(json);
  const frame = Buffer.allocUnsafe(HEADER_BYTES + length);
  frame.writeUInt32BE(length, 0);
  frame.write(json, HEADER_BYTES, length, 'utf8');
  return frame;
}

/** Characters up to which room for the longest UTF-8 is taken without counting. */
const SHORT_TEXT = 4 * 1024;

/** Frames written one behind the other, so that all of one turn leave in one piece. */
export class FrameWriter {
  #bytes = NOTHING;
  #end = 0;
  /** Bytes that were taken last: the next turn is likely to need as many. */
  #usual = 256;

  /** Bytes that were written and not taken. */
  get length(): number {
    return this.#end;
  }

  /** A frame whose body is this text. */
  text(json: string): void {
    const start = this.#end + HEADER_BYTES;
    this.#reserve(start + (json.length > SHORT_TEXT ? Buffer.byteLength(json) : 3 * json.length));
    this.#close(start + this.#bytes.write(json, start, 'utf8'));
  }

  /** A frame whose body is UTF-8 already. */
  utf8(json: Utf8): void {
    const start = this.#end + HEADER_BYTES;
    this.#reserve(start + json.length);
    this.#close(start + this.#bytes.write(json, start, 'latin1'));
  }

  /** A whole frame that was encoded before. */
  frame(frame: Buffer): void {
    const end = this.#end + frame.length;
    this.#reserve(end);
    this.#bytes.set(frame, this.#end);
    this.#end = end;
  }

  /** All that was written; the writer begins anew. */
  take(): Buffer {
    const bytes = this.#bytes.subarray(0, this.#end);
    this.#usual = this.#end;
    this.#bytes = NOTHING;
    this.#end = 0;
    return bytes;
  }

  #close(end: number): void {
    this.#bytes.writeUInt32BE(end - this.#end - HEADER_BYTES, this.#end);
    this.#end = end;
  }

  #reserve(end: number): void {
    if (end <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(end, 2 * this.#bytes.length, this.#usual + 64));
    if (this.#end > 0) this.#bytes.copy(grown, 0, 0, this.#end);
    this.#bytes = grown;
  }
}

/**
 * Bytes → bodies of frames. What is incomplete is kept; a length over the limit throws
 * FRAME_TOO_LARGE before anything of the body is kept, and the decoder is of no more use then.
 */
export class FrameDecoder {
  readonly #maxBytes: number;
  /** The start of the frame that is not whole; grows by doubling, so a trickle of bytes costs no more. */
  #kept: Buffer = Buffer.alloc(0);
  #keptBytes = 0;
  /** Bytes needed before the next step is possible: a header, or a header and its body. */
  #wanted = HEADER_BYTES;

  constructor(maxBytes: number = MAX_FRAME_BYTES) {
    this.#maxBytes = maxBytes;
  }

  /** Bytes of the frame that is not whole yet. */
  get pendingBytes(): number {
    return this.#keptBytes;
  }

  /**
   * The bodies that became whole with `chunk`, as views of it where they can be. Those before a broken
   * frame are given before it throws. Take all of them before the next push.
   */
  *push(chunk: Buffer): Generator<Buffer, void> {
    let data = chunk;
    if (this.#keptBytes > 0) {
      this.#keep(chunk);
      if (this.#keptBytes < this.#wanted) return;
      data = this.#kept.subarray(0, this.#keptBytes);
      this.#kept = Buffer.alloc(0);
      this.#keptBytes = 0;
    }
    let at = 0;
    this.#wanted = HEADER_BYTES;
    while (data.length - at >= HEADER_BYTES) {
      const end = at + HEADER_BYTES + this.#judged(data.readUInt32BE(at));
      if (end > data.length) {
        this.#wanted = end - at;
        break;
      }
      yield data.subarray(at + HEADER_BYTES, end);
      at = end;
    }
    if (at < data.length) this.#keep(data.subarray(at));
  }

  #keep(bytes: Buffer): void {
    const needed = this.#keptBytes + bytes.length;
    if (needed > this.#kept.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#kept.length));
      this.#kept.copy(grown, 0, 0, this.#keptBytes);
      this.#kept = grown;
    }
    bytes.copy(this.#kept, this.#keptBytes);
    this.#keptBytes = needed;
  }

  #judged(length: number): number {
    if (length > this.#maxBytes) {
      throw new RelayError('FRAME_TOO_LARGE', `a frame of ${length} bytes; the limit is ${this.#maxBytes}`);
    }
    return length;
  }
}
