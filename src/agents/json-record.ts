/** Looking into JSON that another program wrote: any shape may come, and none of them throws. */

export type JsonRecord = Record<string, unknown>;

export const isRecord = (value: unknown): value is JsonRecord =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The object in `text`, or undefined if it is anything else. */
export function parseRecord(text: string): JsonRecord | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The member if it is an object, else an empty one. */
export const recordIn = (record: JsonRecord, key: string): JsonRecord => {
  const value = record[key];
  return isRecord(value) ? value : {};
};

/** The member if it is a string. */
export const stringIn = (record: JsonRecord, key: string): string | undefined => {
  const value = record[key];
  return typeof value === 'string' ? value : undefined;
};

/** The objects of an array member. */
export const recordsIn = (record: JsonRecord, key: string): JsonRecord[] => {
  const value = record[key];
  return Array.isArray(value) ? value.filter(isRecord) : [];
};

/** When a line says it was written (milliseconds since the epoch); NaN, which is never late enough, if it does not. */
export const timestampOf = (line: string): number =>
  Date.parse(stringIn(parseRecord(line) ?? {}, 'timestamp') ?? '');
