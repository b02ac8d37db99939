/** Every table that can be reached from an object through fields. */
import { privateFields } from './private-fields.ts';

export type Table = readonly unknown[] | ReadonlyMap<unknown, unknown> | ReadonlySet<unknown>;

/** `Class.field` → that array, map or set of each instance. */
export type Tables = Map<string, Table[]>;

/** Their fields are theirs alone, or the simulation's. */
const LEAVES =
  /^(Sim|Witness$|Random$|Message$|Delivery$|Promise$|AbortSignal$|AbortController$|Buffer$|Zod)/;

export function tablesOf(roots: readonly object[]): Tables {
  const tables: Tables = new Map();
  const seen = new Set<object>();
  const left: [owner: string, value: object][] = roots.map((root) => ['', root]);
  const note = (owner: string, name: string, value: unknown) => {
    if (typeof value !== 'object' || value === null || seen.has(value)) return;
    const place = `${owner}.${name}`;
    if (!isTable(value)) return void left.push([place, value]);
    seen.add(value);
    tables.set(place, [...(tables.get(place) ?? []), value]);
    for (const entry of value instanceof Map ? [...value.keys(), ...value.values()] : value)
      note(place, 'item', entry);
  };
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const [place, value] = next;
    const name = (value.constructor?.name ?? 'Object').replace(/^_/, '');
    if (seen.has(value) || LEAVES.test(name) || ArrayBuffer.isView(value)) continue;
    seen.add(value);
    const owner = name === 'Object' ? place : name;
    for (const [field, held] of Object.entries(value)) note(owner, field, held);
    if (name !== 'Object') for (const [field, held] of privateFields(value)) note(owner, field, held);
  }
  return tables;
}

export const sizeOf = (table: Table): number => ('size' in table ? table.size : table.length);

const isTable = (value: object): value is Table =>
  Array.isArray(value) || value instanceof Map || value instanceof Set;
