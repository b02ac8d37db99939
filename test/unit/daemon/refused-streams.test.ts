import { describe, expect, it } from 'vitest';
import { RefusedStreams } from '../../../src/daemon/refused-streams.ts';

describe('P15 a refused stream', () => {
  it('lets nothing pass until the refused id comes again', () => {
    const refused = new RefusedStreams();
    refused.refuse('bob', 'a', 1, 0);
    expect(refused.pass('bob', 'b', 2, 100)).toBeUndefined();
    expect(refused.pass('carl', 'c', 3, 100)).toBe(3);
    expect(refused.pass('bob', 'a', 4, 200)).toBe(1);
  });

  it('then waits for the next that was refused meanwhile, in the order of their SENDs', () => {
    const refused = new RefusedStreams();
    refused.refuse('bob', 'b', 2, 0);
    refused.refuse('bob', 'a', 1, 1); // a full disk answers later
    expect(refused.pass('bob', 'b', 3, 10)).toBeUndefined();
    expect(refused.pass('bob', 'a', 4, 10)).toBe(1);
    expect(refused.pass('bob', 'c', 5, 10)).toBeUndefined();
    expect(refused.pass('bob', 'b', 6, 10)).toBe(2);
    expect(refused.pass('bob', 'c', 7, 10)).toBe(5);
    expect(refused.pass('bob', 'd', 8, 10)).toBe(8);
  });

  it('keeps the first place of what is refused again and again', () => {
    const refused = new RefusedStreams();
    refused.refuse('bob', 'a', 1, 0);
    refused.pass('bob', 'b', 2, 0);
    const place = refused.pass('bob', 'a', 3, 0) as number;
    refused.refuse('bob', 'a', place, 0);
    expect(refused.pass('bob', 'b', 4, 0)).toBeUndefined();
    expect(refused.pass('bob', 'a', 5, 0)).toBe(1);
  });

  it('goes on after five seconds without the oldest', () => {
    const refused = new RefusedStreams();
    refused.refuse('bob', 'a', 1, 0);
    expect(refused.pass('bob', 'b', 2, 4_999)).toBeUndefined();
    expect(refused.pass('bob', 'b', 3, 5_000)).toBe(3);
  });

  it('forgets those whose time is up, one by one, however many topics there are', () => {
    const refused = new RefusedStreams();
    for (const at of [0, 1, 2]) refused.refuse(`topic-${at}`, 'a', at, at);
    refused.refuse('topic-0', 'b', 3, 3);
    refused.pass('topic-0', 'a', 4, 4); // its time begins anew
    refused.refuse('new', 'a', 5, 5_001);
    expect(refused.size).toBe(3);
    expect(refused.pass('topic-0', 'c', 6, 5_001)).toBeUndefined();
    expect(refused.pass('topic-2', 'c', 7, 5_001)).toBeUndefined();
  });
});
