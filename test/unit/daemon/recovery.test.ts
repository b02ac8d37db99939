import { describe, expect, it } from 'vitest';
import { encodeRecord } from '../../../src/daemon/record.ts';
import { Recovery } from '../../../src/daemon/recovery.ts';
import { RelayState } from '../../../src/daemon/state.ts';
import type { Store } from '../../../src/daemon/store/store.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';

const RECORDS = 100;

/** A store whose every record takes a millisecond to fold. */
function slowStore(clock: FakeClock): { store: Store; read: () => number } {
  let read = 0;
  const store = {
    async *recover() {
      for (; read < RECORDS; read++) {
        clock.advance(1);
        yield encodeRecord({ t: 'opened', session: `s${read}`, name: `n${read}`, at: 1 });
      }
    },
  };
  return { store: store as unknown as Store, read: () => read };
}

describe('P20 a recovery', () => {
  it('lets others have their turn, so that who asks whether the leader lives is answered', async () => {
    const clock = new FakeClock();
    const { store, read } = slowStore(clock);
    const recovery = new Recovery(clock);
    const run = recovery.run(store, new RelayState());
    let waits = 0;
    while (read() < RECORDS) {
      const before = read();
      for (let n = 0; n < 20; n++) await Promise.resolve();
      if (read() !== before) continue;
      waits++;
      clock.advance(0);
    }
    expect(await run).toBe(RECORDS);
    expect(waits).toBeGreaterThan(10);
  });

  it('ends when its reign does', async () => {
    const clock = new FakeClock();
    const { store, read } = slowStore(clock);
    const recovery = new Recovery(clock);
    const run = recovery.run(store, new RelayState());
    while (read() < 3) await Promise.resolve();
    recovery.finish();
    await clock.advanceAsync(1);
    await run;
    expect(read()).toBeLessThan(10);
  });
});
