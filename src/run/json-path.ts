/** A place in `data`, as `$.items[0].name`: members and indices only, no search. */

/** The steps of a path; undefined if it is not one. The leading `$` may be left out. */
export function parsePath(path: string): (string | number)[] | undefined {
  const steps: (string | number)[] = [];
  const step = /(?:^|\.)([^.[\]]+)|\[(\d+)\]|\["([^"\\]*)"\]/y;
  const text = path.replace(/^\$\.?/, '');
  for (let at = 0; at < text.length; at = step.lastIndex) {
    step.lastIndex = at;
    const found = step.exec(text);
    if (found === null) return undefined;
    const [, member, index, quoted] = found;
    if (index !== undefined) steps.push(Number(index));
    else steps.push(member ?? quoted ?? '');
  }
  return steps;
}

/** What stands at the path: own members only. `undefined` if nothing does. */
export function valueAt(data: unknown, steps: readonly (string | number)[]): unknown {
  let value = data;
  for (const step of steps) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Record<string | number, unknown>)[step];
  }
  return value;
}
