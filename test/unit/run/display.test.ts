import { beforeEach, describe, expect, it } from 'vitest';
import { silentLog } from '../../../src/base/log.ts';
import { Display } from '../../../src/run/display.ts';
import type { WatchedAgent } from '../../../src/watch/model.ts';

const ada: WatchedAgent = { name: 'ada', state: 'ready', queueDepth: 0, inflight: 0 };

describe('the display of a round', () => {
  let asked: { answer: (agents: readonly WatchedAgent[]) => void; refuse: (error: Error) => void }[];
  let shown: (readonly WatchedAgent[])[];
  let display: Display;

  beforeEach(() => {
    asked = [];
    shown = [];
    display = new Display({
      rows: () => new Promise((answer, refuse) => asked.push({ answer, refuse })),
      show: (agents) => shown.push(agents),
      log: silentLog,
    });
  });

  it('asks again only when the last answer was shown', async () => {
    const first = display.refresh();
    await display.refresh();
    expect(asked).toHaveLength(1);
    asked[0]?.answer([ada]);
    await first;
    expect(shown).toEqual([[ada]]);
    void display.refresh();
    expect(asked).toHaveLength(2);
  });

  it('goes on after an answer that did not come', async () => {
    const first = display.refresh();
    asked[0]?.refuse(new Error('no relay'));
    await first;
    const second = display.refresh();
    asked[1]?.answer([ada]);
    await second;
    expect(shown).toEqual([[ada]]);
  });
});
