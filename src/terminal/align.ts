/** The longest common subsequence of two lists: which lines of one screen are those of the next. */

/** Cells of the table above which only a greedy alignment is made: 16 MB, a flood of output. */
const MAX_CELLS = 4_000_000;

/** Pairs of indexes [in a, in b] with equal elements, both increasing. */
export function alignInOrder(a: readonly string[], b: readonly string[]): [number, number][] {
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  let tail = 0;
  const most = Math.min(a.length, b.length) - head;
  while (tail < most && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
  const pairs: [number, number][] = [];
  for (let at = 0; at < head; at++) pairs.push([at, at]);
  const middle = lcs(a.slice(head, a.length - tail), b.slice(head, b.length - tail));
  for (const [x, y] of middle) pairs.push([head + x, head + y]);
  for (let at = tail; at > 0; at--) pairs.push([a.length - at, b.length - at]);
  return pairs;
}

function lcs(a: readonly string[], b: readonly string[]): [number, number][] {
  if (a.length === 0 || b.length === 0) return [];
  const width = b.length + 1;
  if ((a.length + 1) * width > MAX_CELLS) return greedy(a, b);
  // best[x, y]: length of the best alignment of a from x and b from y.
  const best = new Uint32Array((a.length + 1) * width);
  const at = (x: number, y: number) => best[x * width + y] as number;
  for (let x = a.length - 1; x >= 0; x--) {
    for (let y = b.length - 1; y >= 0; y--) {
      best[x * width + y] = a[x] === b[y] ? at(x + 1, y + 1) + 1 : Math.max(at(x + 1, y), at(x, y + 1));
    }
  }
  const pairs: [number, number][] = [];
  for (let x = 0, y = 0; x < a.length && y < b.length; ) {
    if (a[x] === b[y]) pairs.push([x++, y++]);
    else if (at(x + 1, y) >= at(x, y + 1)) x++;
    else y++;
  }
  return pairs;
}

function greedy(a: readonly string[], b: readonly string[]): [number, number][] {
  const pairs: [number, number][] = [];
  let y = 0;
  for (let x = 0; x < a.length; x++) {
    const found = b.indexOf(a[x] as string, y);
    if (found < 0) continue;
    pairs.push([x, found]);
    y = found + 1;
  }
  return pairs;
}
