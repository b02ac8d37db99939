import { describe, expect, it } from 'vitest';
import type { Found, Rejection } from '../../src/extract/directive.ts';
import { Extractor } from '../../src/extract/extractor.ts';
import fc from '../helpers/fast-check.ts';

function run(parts: readonly string[]): { found: Found[]; rejected: Rejection[] } {
  const rejected: Rejection[] = [];
  const extractor = new Extractor({ fenceLines: 3, onReject: (rejection) => rejected.push(rejection) });
  const found = parts.flatMap((part) => extractor.push(part));
  return { found: [...found, ...extractor.flush()], rejected };
}

const piece = fc.constantFrom(
  ...[
    '\n',
    '\r\n',
    '[[RELAY]]',
    '[[/RELAY]]',
    '{"to":"bob","body":"',
    '"}',
    'x',
    '🎉é',
    '\\"',
    '\\',
    ' ',
    '```',
    '~~~',
  ],
  ...[
    '>>relay:al ',
    '>>thinking:* ',
    '\\>>relay:a b',
    '\x1b[31m',
    '\x1b]8;;',
    '\x07',
    '\x1b\\',
    '\u009b1m',
    '\0',
    '{',
    '}',
  ],
);
const text = fc.array(piece, { maxLength: 40 }).map((parts) => parts.join(''));

describe('§9 the extractor', () => {
  it('finds the same, split at any code unit, between surrogates and inside CR LF too', () => {
    fc.assert(
      fc.property(text, (source) => {
        const whole = run([source]);
        for (let at = 0; at <= source.length; at++) {
          expect(run([source.slice(0, at), source.slice(at)])).toEqual(whole);
        }
        expect(run(source.split(''))).toEqual(whole);
      }),
    );
  });

  it('hears a directive after any prefix, once the message that held the prefix has ended', () => {
    fc.assert(
      fc.property(text, (prefix) => {
        const extractor = new Extractor();
        extractor.push(prefix);
        extractor.flush();
        expect(extractor.push('>>relay:al ok\n')).toEqual([
          { directive: { to: 'al', kind: 'message', body: 'ok' }, offset: prefix.length },
        ]);
      }),
    );
  });

  it('gives back each block it was given, whatever its body', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.boolean(), (body, pretty) => {
        const json = JSON.stringify({ to: 'bob', body }, null, pretty ? 2 : 0).replace(
          /[\x7f-\x9f]/g,
          escapeUnit,
        );
        const { found, rejected } = run([`[[RELAY]]\n${json}\n[[/RELAY]]\n`]);
        expect(rejected).toEqual([]);
        expect(found.map((one) => one.directive.body)).toEqual([body]);
      }),
    );
  });
});

const escapeUnit = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
