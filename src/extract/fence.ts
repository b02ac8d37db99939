/** Code fences as CommonMark §4.5 has them: what stands inside one is never a directive. Spec §9. */

export interface Fence {
  marker: '`' | '~';
  length: number;
}

const OPENING = /^ {0,3}(`{3,}|~{3,})(.*)$/;
const CLOSING = /^ {0,3}(`{3,}|~{3,})[ \t]*$/;

/** The fence this line opens, if it opens one. An info string after backticks has no backtick in it. */
export function openingFence(line: string): Fence | undefined {
  const [, run, info] = OPENING.exec(line) ?? [];
  if (run === undefined || info === undefined) return undefined;
  const marker = run.startsWith('~') ? '~' : '`';
  if (marker === '`' && info.includes('`')) return undefined;
  return { marker, length: run.length };
}

/** Whether this line closes `fence`: the same character, at least as long, nothing after it. */
export function closesFence(line: string, fence: Fence): boolean {
  const run = CLOSING.exec(line)?.[1];
  return run?.startsWith(fence.marker) === true && run.length >= fence.length;
}
