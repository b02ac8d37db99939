/** A promise that is not waited for longer than so many milliseconds. */
import type { Clock, Timer } from './clock.ts';

/** Waits for the promise, at most `ms`; false if it was not settled by then. Rejects as it does. */
export async function within(clock: Clock, ms: number, promise: Promise<void>): Promise<boolean> {
  let timer: Timer | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = clock.after(ms, () => resolve(false));
  });
  const inTime = await Promise.race([promise.then(() => true), late]);
  timer?.cancel();
  return inTime;
}
