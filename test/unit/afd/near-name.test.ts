import { describe, expect, it } from 'vitest';
import { editDistance, nearNames } from '../../../src/afd/near-name.ts';

const names = ['relay-connect', 'relay-reconnect', 'relay-disconnect', 'relay-poll', 'relay-send'];

describe('near names', () => {
  it.each([
    ['', '', 0],
    ['', 'abc', 3],
    ['abc', 'abc', 0],
    ['abc', 'acb', 1],
    ['kitten', 'sitting', 3],
    ['ca', 'abc', 3],
  ])('the distance of %j and %j is %i', (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
    expect(editDistance(b, a)).toBe(distance);
  });

  it('come nearest first, and not from afar', () => {
    expect(nearNames('relay-conect', names)).toEqual([
      'relay-connect',
      'relay-reconnect',
      'relay-disconnect',
    ]);
    expect(nearNames('relay-sned', names)[0]).toBe('relay-send');
    expect(nearNames('RELAY-POLL', names)[0]).toBe('relay-poll');
    expect(nearNames('poll', names)).toEqual(['relay-poll']);
    expect(nearNames('frobnicate', names)).toEqual([]);
    expect(nearNames('', names)).toEqual([]);
  });
});
