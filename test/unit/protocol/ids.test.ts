import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { derivedId, isUuid } from '../../../src/protocol/ids.ts';

/** RFC 9562, written out. */
function uuid5(parts: readonly string[]): string {
  const space = Buffer.from('7c9a1b5e0d3f4a688e21c4f7b0a9d653', 'hex');
  const bytes = createHash('sha1').update(space).update(JSON.stringify(parts)).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x50, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

describe('P3 derived ids', () => {
  it('are what every leader of every version gives', () => {
    expect(derivedId('ann\0x', 'bob')).toBe(uuid5(['ann\0x', 'bob']));
    const part = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ minLength: 400, maxLength: 1_200 }));
    fc.assert(
      fc.property(fc.array(part, { maxLength: 3 }), (parts) => {
        expect(derivedId(...parts)).toBe(uuid5(parts));
        expect(isUuid(derivedId(...parts))).toBe(true);
      }),
    );
  });
});
