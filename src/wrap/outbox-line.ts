/**
 * A line of an outbox file: `<crc32, 8 hex> <milliseconds> <SEND as JSON>`, where the time says from when
 * on a store may have it (0: never tried), or the same without a SEND: a mark, which says so of all before.
 */
import { crc32 } from 'node:zlib';
import { type EnvelopeOf, parseEnvelope } from '../protocol/envelope.ts';
import { HEADER_BYTES } from '../protocol/frame.ts';
import { MAX_FRAME_BYTES } from '../protocol/limits.ts';

const CRC_DIGITS = 8;
const LINE_FEED = 0x0a;

export interface OutboxLine {
  triedAt: number;
  /** Undefined for a mark, or where it was not asked for. */
  send: EnvelopeOf<'SEND'> | undefined;
  frame: Buffer | undefined;
  /** Bytes of its frame; 0 for a mark. */
  bytes: number;
}

/** The frame of a SEND, or a mark, as one line. */
export function encodeLine(triedAt: number, frame?: Buffer): Buffer {
  const time = ` ${triedAt}${frame === undefined ? '' : ' '}`;
  const rest = Buffer.concat([Buffer.from(time), frame?.subarray(HEADER_BYTES) ?? Buffer.alloc(0)]);
  const crc = crc32(rest).toString(16).padStart(CRC_DIGITS, '0');
  return Buffer.concat([Buffer.from(crc), rest, Buffer.of(LINE_FEED)]);
}

/** One line without its line feed; undefined: it is damaged, or no SEND. `judge`: look also at the SEND. */
export function decodeLine(line: Buffer, judge: boolean): OutboxLine | undefined {
  const head = /^([0-9a-f]{8}) (\d{1,16})( ?)/.exec(line.toString('latin1', 0, 32));
  if (head === null) return undefined;
  const [{ length }, crc = '', tried, space] = head;
  if (crc32(line.subarray(CRC_DIGITS)) !== Number.parseInt(crc, 16)) return undefined;
  const triedAt = Number(tried);
  if (space === '')
    return line.length === length ? { triedAt, send: undefined, frame: undefined, bytes: 0 } : undefined;
  const body = line.subarray(length);
  const bytes = HEADER_BYTES + body.length;
  if (body.length > MAX_FRAME_BYTES) return undefined;
  if (!judge) return { triedAt, send: undefined, frame: undefined, bytes };
  try {
    const send = parseEnvelope(body);
    if (send.type !== 'SEND') return undefined;
    const frame = Buffer.allocUnsafe(bytes);
    frame.writeUInt32BE(body.length);
    body.copy(frame, HEADER_BYTES);
    return { triedAt, send, frame, bytes };
  } catch {
    return undefined;
  }
}

/** The whole lines in `bytes`, and what follows the last line feed: a line that was torn, or is being written. */
export function splitLines(bytes: Buffer): { lines: { at: number; line: Buffer }[]; torn: number } {
  const lines: { at: number; line: Buffer }[] = [];
  let at = 0;
  for (let end = bytes.indexOf(LINE_FEED); end !== -1; end = bytes.indexOf(LINE_FEED, at)) {
    lines.push({ at, line: bytes.subarray(at, end) });
    at = end + 1;
  }
  return { lines, torn: bytes.length - at };
}
