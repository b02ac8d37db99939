import { describe, expect, it } from 'vitest';
import {
  encodeEnvelope,
  newEnvelope,
  parseAnyEnvelope,
  parseEnvelope,
  renderDeliver,
} from '../../src/protocol/envelope.ts';
import { MAX_ID_LENGTH } from '../../src/protocol/limits.ts';
import { memberSpans, nestsDeeper } from '../../src/protocol/members.ts';
import { ackPayload, delivery, PAYLOADS, payloadMeta, sendPayload } from '../../src/protocol/payloads.ts';
import { plainSend } from '../../src/protocol/plain-send.ts';
import { textOf, utf8Slice } from '../../src/protocol/utf8.ts';
import fc from '../helpers/fast-check.ts';

const body = (object: unknown): Buffer => Buffer.from(JSON.stringify(object));

describe('§3 envelope', () => {
  it('finds each member of any JSON object as it was written', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue(), { noNullPrototype: true }),
        fc.nat(3),
        (object, indent) => {
          const text = JSON.stringify(object, null, indent);
          const names = Object.keys(object);
          const found = memberSpans(text, names);
          for (const name of names)
            expect(JSON.parse(text.slice(found[name]?.start, found[name]?.end))).toEqual(
              JSON.parse(JSON.stringify(object[name])),
            );
        },
      ),
      { numRuns: 500 },
    );
  });

  it('never throws anything but a coded error, whatever the bytes', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
          fc.json().map((j) => Buffer.from(j)),
        ),
        (bytes) => {
          try {
            parseEnvelope(bytes);
          } catch (error) {
            expect(error).toMatchObject({
              code: expect.stringMatching(/^(BAD_FRAME|UNSUPPORTED_VERSION|BAD_REQUEST)$/),
            });
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  describe('judges by hand exactly as the schema does', () => {
    const value = fc.oneof(
      fc.string({ maxLength: 140 }),
      // The longest that may be, and one more.
      fc.constantFrom(...[64, MAX_ID_LENGTH].flatMap((most) => ['x'.repeat(most), 'x'.repeat(most + 1)])),
      fc.constant(undefined),
      fc.integer(),
      fc.double(),
      fc.constantFrom(0, 1, 42, 2 ** 53, -1, true, '', 'stored', 'held', 'bob'),
      fc.jsonValue({ maxDepth: 1 }),
      fc.array(fc.oneof(fc.string({ maxLength: 5 }), fc.integer({ min: -1, max: 9 })), { maxLength: 3 }),
    );
    const members = (...names: string[]) =>
      fc.record(Object.fromEntries(names.map((name) => [name, value])), { requiredKeys: [] });
    const taken = (more: object) => {
      try {
        parseEnvelope(body({ v: 1, id: 'x', ts: 1, ...more }));
        return true;
      } catch {
        return false;
      }
    };
    const wire = (object: object) => JSON.parse(JSON.stringify(object)) as object;

    it.each([
      ['SEND', sendPayload, ['kind', 'body', 'thread', 'data', 'more']],
      ['ACK', ackPayload, ['ack_id', 'seq', 'stage', 'to', 'ack_ids', 'seqs', 'recipients', 'up_to_seq']],
    ] as const)('the payload of %s', (type, schema, names) => {
      fc.assert(
        fc.property(members(...names), (payload) => {
          expect(taken({ type, payload })).toBe(schema.safeParse(wire(payload)).success);
        }),
        { numRuns: 500 },
      );
    });

    it('payload_meta and delivery', () => {
      const places = members('seq', 'session_id', 'originalTo', 'redelivered', 'expires_at');
      fc.assert(
        fc.property(members('requires_ack', 'ttl_ms'), places, (meta, place) => {
          const fits = payloadMeta.safeParse(wire(meta)).success;
          expect(taken({ type: 'SEND', payload: {}, payload_meta: meta })).toBe(fits);
          const both = fits && delivery.safeParse(wire(place)).success;
          expect(taken({ type: 'DELIVER', payload: {}, payload_meta: meta, delivery: place })).toBe(both);
        }),
        { numRuns: 500 },
      );
    });
  });

  it('takes a SEND at once exactly as it would parse it, or not at all', () => {
    const word = fc.oneof(
      fc.string({ maxLength: 20 }),
      fc.constantFrom('bob', '*', '', 'a"b', 'ü', '\u007f'),
    );
    const send = fc
      .record(
        { kind: word, body: fc.string({ unit: 'binary' }), thread: word, id: word, to: word, topic: word },
        { requiredKeys: ['body', 'id'] },
      )
      .map(({ id, to, topic, ...payload }) =>
        encodeEnvelope(
          newEnvelope('SEND', payload, 17, { id, to, topic, payload_meta: { requires_ack: true } } as object),
        ),
      );
    const plain = fc
      .record({
        id: fc.uuid(),
        to: fc.constantFrom('bob', 'a-rather-long-name'),
        topic: fc.constantFrom(undefined, 'chat', 'a topic of several words'),
        body: fc.string(),
      })
      .map(({ id, to, topic, body: text }) =>
        encodeEnvelope(
          newEnvelope('SEND', { kind: 'message', body: text }, 17, {
            id,
            to,
            ...(topic === undefined ? {} : { topic }),
            payload_meta: { requires_ack: true },
          }),
        ),
      );
    let taken = 0;
    const place = fc.option(
      fc.tuple(fc.nat(), fc.constantFrom(0x22, 0x5c, 0x7d, 0x0a, 0x00, 0x30, 0xc3, 0x2c)),
    );
    fc.assert(
      fc.property(fc.oneof(send, plain), place, (frame, change) => {
        const bytes = Buffer.from(frame.subarray(4));
        if (change !== null) bytes[change[0] % bytes.length] = change[1];
        const seen = plainSend(bytes, utf8Slice(bytes));
        if (seen === undefined) return;
        taken++;
        const { payload, ...rest } = seen;
        expect({ ...rest, payload }).toEqual(parseAnyEnvelope(bytes));
      }),
      { numRuns: 2_000 },
    );
    expect(taken).toBeGreaterThan(200);
  });

  it('takes JSON nested 500 deep, and refuses what is deeper wherever it stands', () => {
    const deep = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`;
    const send = (levels: number) =>
      Buffer.from(
        `{"v":1,"type":"SEND","id":"x","ts":1,"to":"bob","payload":{"body":"[{[{","data":${deep(levels)}}}`,
      );
    expect(parseEnvelope(send(498))).toMatchObject({ type: 'SEND', to: 'bob' });
    const refusal = expect.objectContaining({ code: 'BAD_REQUEST', details: { refId: 'x' } });
    expect(() => parseEnvelope(send(499))).toThrow(refusal);
    for (const [v, type] of [
      ['1', deep(100_000)],
      [deep(100_000), '"PING"'],
    ]) {
      expect(() =>
        parseEnvelope(Buffer.from(`{"v":${v},"type":${type},"id":"x","ts":1,"payload":{}}`)),
      ).toThrow(refusal);
    }
  });

  it('knows how deep JSON nests, whatever its strings hold', () => {
    const depthOf = (value: unknown): number =>
      typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0;
    fc.assert(
      fc.property(
        fc.jsonValue({ stringUnit: fc.constantFrom('[', '{', '"', '\\', ']', 'a') }),
        fc.nat(6),
        (value, limit) => {
          expect(nestsDeeper(JSON.stringify(value), limit)).toBe(depthOf(value) > limit);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('forwards a payload byte for byte: long numbers, key order, blanks, a last duplicate key', () => {
    const payload =
      '{ "body" : "a\\u0000\\ud83d\\ude00", "data":{"big":12345678901234567890,"e":1e400,"__proto__":{"x":1}} }';
    const text = `{"payload":{"body":"old"},"v":1,"type":"SEND","id":"x","ts":1,"to":"bob","payload":${payload} ,"payload_meta":{"ttl_ms":5}}`;
    const sent = parseEnvelope(Buffer.from(text));
    if (sent.type !== 'SEND') throw new Error('not a SEND');
    const frame = renderDeliver({ id: 'd', ts: 2, from: 'al', to: 'bob' }, sent.raw, {
      seq: 1,
      session_id: 's',
    });
    expect(textOf(frame)).toContain(`"payload":${payload},"payload_meta":{"ttl_ms":5}`);
    expect(parseEnvelope(Buffer.from(frame, 'latin1'))).toMatchObject({
      type: 'DELIVER',
      from: 'al',
      delivery: { seq: 1 },
    });
  });

  it('reads back what it writes', () => {
    const ping = newEnvelope('PING', { nonce: 'n' }, 5);
    expect(parseEnvelope(encodeEnvelope(ping).subarray(4))).toEqual(ping);
  });

  it('knows all fifteen types of the spec', () => {
    expect(Object.keys(PAYLOADS)).toHaveLength(15);
  });

  it.each([
    ['another version', { v: 2, type: 'PING', id: 'x', ts: 1, payload: {} }, 'UNSUPPORTED_VERSION'],
    ['an unknown type', { v: 1, type: 'NOPE', id: 'x', ts: 1, payload: {} }, 'BAD_REQUEST'],
    ['a type of Object.prototype', { v: 1, type: 'constructor', id: 'x', ts: 1, payload: {} }, 'BAD_REQUEST'],
    ['no payload', { v: 1, type: 'PING', id: 'x', ts: 1 }, 'BAD_REQUEST'],
    ['an array', [1], 'BAD_FRAME'],
  ])('refuses %s', (_what, object, code) => {
    expect(() => parseEnvelope(body(object))).toThrow(expect.objectContaining({ code }));
  });
});
