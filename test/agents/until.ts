type Missing = undefined | false | null;

/** Waits for a condition: the only way a test here waits. */
export async function until<T>(
  what: string,
  look: () => Promise<T | Missing> | T | Missing,
  ms = 120_000,
): Promise<T> {
  const deadline = performance.now() + ms;
  for (;;) {
    const seen = await look();
    if (seen !== undefined && seen !== false && seen !== null) return seen;
    if (performance.now() > deadline) throw new Error(`waited ${ms} ms in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 15));
  }
}
