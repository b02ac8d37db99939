import { describe, expect, it } from 'vitest';
import { type Clock, systemClock, type Timer } from '../../../src/base/clock.ts';
import { silentLog } from '../../../src/base/log.ts';
import { Host } from '../../../src/daemon/host.ts';
import { memoryGround } from '../../../src/daemon/memory-ground.ts';
import { rehearse } from '../../../src/daemon/rehearsal.ts';

/** The system's, that knows how many of its timers go on for ever or keep the process alive. */
function countingClock(): Clock & { lasting: () => number } {
  const lasting = new Set<Timer>();
  const counted = (timer: Timer): Timer => {
    const one = {
      cancel() {
        lasting.delete(one);
        timer.cancel();
      },
    };
    lasting.add(one);
    return one;
  };
  return {
    ...systemClock,
    after(ms, fn, options) {
      if (options?.unref) return systemClock.after(ms, fn, options);
      const timer = counted(
        systemClock.after(ms, () => {
          timer.cancel();
          fn();
        }),
      );
      return timer;
    },
    every: (ms, fn, options) => counted(systemClock.every(ms, fn, options)),
    lasting: () => lasting.size,
  };
}

describe('P20 a rehearsal', () => {
  it('welcomes everybody in both reigns, and leaves nothing that goes on', async () => {
    const clock = countingClock();
    await rehearse(clock);
    expect(clock.lasting()).toBe(0);
  });

  it('stands on a ground where a reign is followed by the next, with what it stored', async () => {
    const ground = memoryGround('/nowhere');
    const options = {
      directory: '/nowhere',
      namespace: 'default',
      clock: systemClock,
      log: silentLog,
      ground,
    };
    const first = await Host.stand({ ...options, above: 0 });
    const connected = await first?.daemon.execute('relay-connect', { agent: 'ann' });
    expect(connected).toMatchObject({ success: true });
    expect(await Host.stand({ ...options, above: 0 })).toBeUndefined();
    await first?.close();
    const second = await Host.stand({ ...options, above: 1 });
    const agents = await second?.daemon.execute('relay-agents', {});
    expect(agents).toMatchObject({ success: true, data: { agents: [{ name: 'ann' }] } });
    await second?.close();
  });
});
