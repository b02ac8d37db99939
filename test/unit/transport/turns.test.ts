import { describe, expect, it } from 'vitest';
import { Turns } from '../../../src/transport/turns.ts';

/** A loop whose turns the test makes, and a clock that each piece moves by 1 ms. */
class Loop {
  now = 0;
  readonly done: string[] = [];
  #next: (() => void)[] = [];
  readonly turns = new Turns({
    turnMs: 3,
    now: () => this.now,
    nextTurn: (fn) => this.#next.push(fn),
  });

  worker(name: string, pieces: number) {
    let left = pieces;
    return {
      work: () => {
        this.now += 1;
        this.done.push(name);
        return --left > 0;
      },
    };
  }

  turn(): string {
    const from = this.done.length;
    for (const fn of this.#next.splice(0)) fn();
    return this.done.slice(from).join('');
  }
}

describe('turns of the event loop', () => {
  it('lets work that fits be done at once', () => {
    const loop = new Loop();
    loop.turns.take(loop.worker('a', 2));
    expect(loop.done.join('')).toBe('aa');
    expect(loop.turn()).toBe('');
  });

  it('spreads what does not fit over later turns, and all share each of them', () => {
    const loop = new Loop();
    loop.turns.take(loop.worker('a', 9));
    loop.turns.take(loop.worker('b', 2));
    loop.turns.take(loop.worker('c', 1));
    expect(loop.done.join('')).toBe('aaa');
    expect([loop.turn(), loop.turn(), loop.turn(), loop.turn()]).toEqual(['abc', 'aba', 'aaa', '']);
  });

  it('has one budget for all that comes in a turn, and a new one in the next', () => {
    const loop = new Loop();
    for (const name of ['a', 'b', 'c', 'd']) loop.turns.take(loop.worker(name, 1));
    expect(loop.done.join('')).toBe('abc');
    expect(loop.turn()).toBe('d');
    loop.turn();
    loop.turns.take(loop.worker('e', 3));
    expect(loop.done.slice(-3).join('')).toBe('eee');
  });

  it('goes on, however long one piece takes', () => {
    const loop = new Loop();
    const slow = loop.worker('s', 3);
    loop.turns.take({
      work: () => {
        loop.now += 100;
        return slow.work();
      },
    });
    expect([loop.turn(), loop.turn(), loop.turn()]).toEqual(['s', 's', '']);
  });
});
