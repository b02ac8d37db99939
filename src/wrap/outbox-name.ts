/** The name of an outbox file, `<agent>.<ms>-<pid>-<n>`: whose it is, and which is older. docs/protocol.md §5. */

/** What the names of one wrapper's files have in common, and no other's. `now`: the wall clock, ms. */
export function outboxStamp(now: number, pid: number): string {
  return `${String(now).padStart(13, '0')}-${pid}`;
}

/** The name of the `count`th file of the wrapper of `agent`. */
export function outboxName(agent: string, stamp: string, count: number): string {
  return `${agent}.${stamp}-${String(count).padStart(6, '0')}`;
}

/** Whose file this is, by its name. */
export function outboxOwner(file: string): { name: string; pid: number } | undefined {
  const [, name = '', pid] = /^(.+)\.\d{13}-(\d{1,10})-\d{6}$/.exec(file) ?? [];
  return pid === undefined ? undefined : { name, pid: Number(pid) };
}
