import { waitFor } from '../helpers/wait-for.ts';

/** `waitFor` with the patience that real agents need. */
export const until = <T>(what: string, look: Parameters<typeof waitFor<T>>[0], ms = 120_000): Promise<T> =>
  waitFor(look, what, ms);
