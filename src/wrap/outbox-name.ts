/** The name of an outbox file, `<agent>.<ms>-<pid>-<n>`: whose it is, and which is older. docs/protocol.md §5. */

/** The latest that a name can say: in the year 2286. */
const LAST_MS = 9_999_999_999_999;

/**
 * What the names of one wrapper's files have in common, and no other's. It is later than that of each of
 * `others`, whatever was done to the clock since they were made. `now`: the wall clock, ms.
 */
export function outboxStamp(agent: string, now: number, pid: number, others: readonly string[]): string {
  const ms = others.reduce((latest, file) => {
    const owner = outboxOwner(file);
    return owner?.name === agent ? Math.max(latest, owner.ms + 1) : latest;
  }, now);
  return `${String(Math.min(ms, LAST_MS)).padStart(13, '0')}-${pid}`;
}

/** The name of the `count`th file of the wrapper of `agent`. */
export function outboxName(agent: string, stamp: string, count: number): string {
  return `${agent}.${stamp}-${String(count).padStart(6, '0')}`;
}

/** Whose file this is, and of when, by its name. */
export function outboxOwner(file: string): { name: string; ms: number; pid: number } | undefined {
  const [, name = '', ms, pid] = /^(.+)\.(\d{13})-(\d{1,10})-\d{6}$/.exec(file) ?? [];
  return pid === undefined ? undefined : { name, ms: Number(ms), pid: Number(pid) };
}
