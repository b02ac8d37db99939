import { describe, expect, it } from 'vitest';
import { encodeFrame, FrameDecoder, FrameWriter } from '../../src/protocol/frame.ts';
import { utf8 } from '../../src/protocol/utf8.ts';
import fc from '../helpers/fast-check.ts';

const texts = fc.array(fc.string({ unit: 'binary', maxLength: 300 }), { maxLength: 12 });

/** Cuts `bytes` at the given places (any numbers). */
function cut(bytes: Buffer, places: number[]): Buffer[] {
  const at = [...new Set(places.map((p) => p % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...at].map((from, i) => bytes.subarray(from, at[i] ?? bytes.length));
}

describe('§2 framing', () => {
  it('decodes the same bodies however the bytes are split', () => {
    fc.assert(
      fc.property(texts, fc.array(fc.nat(), { maxLength: 40 }), (bodies, places) => {
        const bytes = Buffer.concat(bodies.map(encodeFrame));
        const decoder = new FrameDecoder();
        const seen = cut(bytes, places).flatMap((chunk) =>
          [...decoder.push(chunk)].map((b) => Buffer.from(b)),
        );
        expect(seen.map(String)).toEqual(bodies.map((b) => Buffer.from(b).toString()));
        expect(decoder.pendingBytes).toBe(0);
      }),
    );
  });

  it('reads back all frames that were written in one piece, each way of writing', () => {
    // Long enough that room guessed too small is not there by chance.
    const body = fc
      .tuple(fc.string({ unit: 'binary' }), fc.constantFrom(1, 1, 40, 1_000))
      .map(([text, times]) => text.repeat(times));
    const ways = fc.array(fc.tuple(fc.constantFrom('text', 'utf8', 'frame'), body));
    fc.assert(
      fc.property(fc.array(ways, { maxLength: 4 }), (turns) => {
        const writer = new FrameWriter();
        for (const turn of turns) {
          for (const [way, body] of turn) {
            if (way === 'text') writer.text(body);
            else if (way === 'utf8') writer.utf8(utf8(body));
            else writer.frame(encodeFrame(body));
          }
          const bytes = writer.take();
          expect(writer.length).toBe(0);
          // Not by toEqual, which takes its time with so many bytes.
          expect(bytes.equals(Buffer.concat(turn.map(([, body]) => encodeFrame(body))))).toBe(true);
        }
      }),
    );
  });

  it('takes a frame as long as the limit, and none that is longer', () => {
    fc.assert(
      fc.property(fc.nat(60), fc.nat(60), fc.array(fc.nat(), { maxLength: 5 }), (length, limit, places) => {
        const decoder = new FrameDecoder(limit);
        const decode = () =>
          cut(encodeFrame('x'.repeat(length)), places).flatMap((chunk) =>
            [...decoder.push(chunk)].map(String),
          );
        if (length <= limit) expect(decode()).toEqual(['x'.repeat(length)]);
        else expect(decode).toThrow(expect.objectContaining({ code: 'FRAME_TOO_LARGE' }));
      }),
      { examples: [[16, 16, []]] },
    );
  });

  it('decodes frames split at every byte', () => {
    const bodies = ['{"a":1}', '', '{"b":"日本"}'];
    const decoder = new FrameDecoder();
    const seen: string[] = [];
    for (const byte of Buffer.concat(bodies.map(encodeFrame))) {
      for (const body of decoder.push(Buffer.of(byte))) seen.push(body.toString());
    }
    expect(seen).toEqual(bodies);
  });

  it('gives what came before a frame that is too long, then throws without keeping its body', () => {
    const decoder = new FrameDecoder(16);
    const bytes = Buffer.concat([encodeFrame('{"ok":1}'), Buffer.from([0x7f, 0xff, 0xff, 0xff, 1, 2, 3])]);
    const seen: string[] = [];
    expect(() => {
      for (const body of decoder.push(bytes)) seen.push(body.toString());
    }).toThrow(expect.objectContaining({ code: 'FRAME_TOO_LARGE' }));
    expect(seen).toEqual(['{"ok":1}']);
    expect(decoder.pendingBytes).toBe(0);
  });
});
