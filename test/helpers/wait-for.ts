/** Waits for a condition by looking again and again: tests never wait for a fixed time. */

/** The first value of `look` that is neither undefined, null nor false. Rejects after `ms`. */
export async function waitFor<T>(
  look: () => T | undefined | null | false | Promise<T | undefined | null | false>,
  what: string | (() => string) = 'a condition',
  ms = 20_000,
): Promise<T> {
  const end = performance.now() + ms;
  for (;;) {
    const value = await look();
    if (value !== undefined && value !== null && value !== false) return value;
    if (performance.now() > end) {
      throw new Error(`waited ${ms} ms for ${typeof what === 'string' ? what : what()}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
