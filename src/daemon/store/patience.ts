/** What fails for lack of file descriptors is tried again: others of our process will close some. */
import type { Clock } from '../../base/clock.ts';
import { systemCode } from '../../base/errors.ts';

/** Milliseconds between two tries. */
const RETRY_MS = 20;

export const lacksDescriptors = (error: unknown): boolean =>
  ['EMFILE', 'ENFILE'].includes(systemCode(error) ?? '');

/** Calls `fn` until it fails for another reason, or `over` says that nobody waits any more. */
export async function patiently<T>(clock: Clock, over: () => boolean, fn: () => T | Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await fn();
    } catch (error) {
      if (!lacksDescriptors(error) || over()) throw error;
      await new Promise<void>((resolve) => clock.after(RETRY_MS, resolve));
    }
  }
}
