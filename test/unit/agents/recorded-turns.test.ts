import { beforeEach, describe, expect, it } from 'vitest';
import { RecordedTurns } from '../../../src/agents/recorded-turns.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';

describe('the record of a turn', () => {
  let clock: FakeClock;
  let turns: RecordedTurns;
  /** Of each turn that came due: how long before now it may have been recorded, and whether it was. */
  let due: [ago: number, recorded: boolean][];

  const begin = (shortestMs?: number) => {
    turns = new RecordedTurns({
      clock,
      ...(shortestMs === undefined ? {} : { shortestMs }),
      due: (since) => due.push([clock.now() - since, turns.recordedSince(since)]),
    });
  };
  const turn = (ms: number) => {
    turns.began();
    clock.advance(ms);
    turns.ended();
  };

  beforeEach(() => {
    clock = new FakeClock(Date.UTC(2026, 10, 20));
    due = [];
    begin();
  });

  it('is due a moment after its end, and may be a little older than its beginning', () => {
    turns.record();
    clock.advance(400);
    turn(1_000);
    clock.advance(1_499);
    expect(due).toEqual([]);
    clock.advance(1);
    expect(due).toEqual([[500 + 1_000 + 1_500, true]]);
  });

  it('is missed where all that was read is older', () => {
    turns.record();
    clock.advance(600);
    turn(1_000);
    clock.advance(1_500);
    expect(due.map(([, recorded]) => recorded)).toEqual([false]);
  });

  it('is looked for from the first signal on, however many there are', () => {
    turns.began();
    clock.advance(1_000);
    turn(1_000);
    clock.advance(1_500);
    expect(due.map(([ago]) => ago)).toEqual([500 + 2_000 + 1_500]);
  });

  it('is looked for also when the next turn ends meanwhile', () => {
    turn(100);
    clock.advance(1_000);
    turn(100);
    clock.advance(5_000);
    expect(due).toHaveLength(2);
  });

  it('is not looked for when no turn began, or what began was too short to be one', () => {
    turns.ended();
    begin(50);
    turn(49);
    clock.advance(5_000);
    expect(due).toEqual([]);
    turn(50);
    clock.advance(5_000);
    expect(due).toHaveLength(1);
  });

  it('is forgotten when somebody else is to look', () => {
    turn(100);
    turns.forget();
    clock.advance(5_000);
    expect(due).toEqual([]);
  });
});
