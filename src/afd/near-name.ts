/** The names a mistyped one may have meant: for commands, and for whatever else a person types. */

/** Longer names are not compared: the cost grows with the product of the lengths. */
const MAX_NAME_LENGTH = 64;

/** Up to `limit` of `candidates`, the nearest first; those too far away for a typing error are left out. */
export function nearNames(name: string, candidates: Iterable<string>, limit = 3): string[] {
  if (name.length > MAX_NAME_LENGTH) return [];
  const wanted = name.toLowerCase();
  const tolerance = Math.max(1, Math.floor(wanted.length / 3));
  return [...candidates]
    .map((candidate) => ({ candidate, distance: distance(wanted, candidate.toLowerCase()) }))
    .filter(({ distance }) => distance <= tolerance)
    .sort((a, b) => a.distance - b.distance || (a.candidate < b.candidate ? -1 : 1))
    .slice(0, limit)
    .map(({ candidate }) => candidate);
}

/** The second half of a `domain-action` name, typed alone, is one slip away. */
const distance = (wanted: string, candidate: string): number =>
  candidate.endsWith(`-${wanted}`) ? 1 : editDistance(wanted, candidate);

/**
 * Inserted, removed, replaced and swapped neighbouring characters (Damerau–Levenshtein, each place
 * edited once).
 */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = a[i - 1] === b[j - 1] ? 0 : 1;
      let cost = Math.min(at(last, j) + 1, at(row, j - 1) + 1, at(last, j - 1) + changed);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, at(beforeLast, j - 2) + 1);
      }
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  return at(last, b.length);
}

const at = (row: number[], index: number): number => row[index] ?? Number.POSITIVE_INFINITY;
