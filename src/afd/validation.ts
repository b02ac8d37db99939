/** Input against its schema, and the failure that says what is wrong with it. Checklist 9. */
import type * as z from 'zod';
import { type CommandFailure, error } from './result.ts';

/** Entries of a list in `details`. A caller repairs a few at a time; the answer stays small. */
const MAX_LISTED = 20;
/** Characters of a field name or path that we repeat: they come from the caller. */
const MAX_ECHOED_NAME = 64;

export interface ValidationIssue {
  /** `to.0.name`; empty for the input as a whole. */
  path: string;
  message: string;
  code: string;
  expected: string;
  /** The type of what came, never its value. */
  received?: string;
}

export type Validated<T> = { ok: true; input: T } | { ok: false; failure: CommandFailure };

/** The input as the handler gets it (defaults set, unknown keys dropped), or a VALIDATION_ERROR. */
export function validateInput<I extends z.ZodObject>(
  name: string,
  schema: I,
  input: unknown,
): Validated<z.output<I>> {
  const parsed = schema.safeParse(input);
  if (parsed.success) return { ok: true, input: parsed.data };
  const { issues } = parsed.error;
  const expected = Object.keys(schema.shape);
  const given = isRecord(input) ? Object.keys(input) : [];
  const missing = expected.filter(
    (key) => !given.includes(key) && issues.some(({ path }) => path.length === 1 && path[0] === key),
  );
  const unexpected = given.filter((key) => !expected.includes(key));
  const first = issues[0];
  const where = first && first.path.length > 0 ? ` at ${pathOf(first)}` : '';
  const failure = error('VALIDATION_ERROR', `the input of ${name} does not fit${where}: ${first?.message}`, {
    suggestion: suggestionFor(name, missing, expected),
    details: {
      errors: issues.slice(0, MAX_LISTED).map((issue) => describeIssue(issue, input)),
      expectedFields: expected,
      unexpectedFields: unexpected.slice(0, MAX_LISTED).map((key) => cut(key)),
      missingFields: missing,
      ...omitted(issues.length, unexpected.length),
    },
  });
  return { ok: false, failure };
}

function suggestionFor(name: string, missing: string[], expected: string[]): string {
  if (missing.length > 0) return `pass ${missing.join(', ')}`;
  if (expected.length === 0) return `${name} takes an empty object`;
  return `${name} takes: ${expected.join(', ')}`;
}

/** What the two limits left out, so that nothing is capped in silence. */
function omitted(errors: number, unexpected: number): Record<string, number> {
  return {
    ...(errors > MAX_LISTED ? { errorsOmitted: errors - MAX_LISTED } : {}),
    ...(unexpected > MAX_LISTED ? { unexpectedFieldsOmitted: unexpected - MAX_LISTED } : {}),
  };
}

/** Where and why, without the value: also fit for a log. */
export function describeIssue(issue: z.core.$ZodIssue, root: unknown): ValidationIssue {
  const wrong = typeOf(valueAt(root, issue.path));
  return {
    path: pathOf(issue),
    message: cut(issue.message, 200),
    code: issue.code,
    expected: expectedBy(issue),
    ...(wrong === undefined ? {} : { received: wrong }),
  };
}

function expectedBy(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return issue.expected;
    case 'invalid_value':
      return issue.values.map(String).join(' | ');
    case 'invalid_format':
      return issue.format;
    case 'too_small':
      return `${issue.origin} of at least ${issue.minimum}`;
    case 'too_big':
      return `${issue.origin} of at most ${issue.maximum}`;
    default:
      return issue.code;
  }
}

const pathOf = ({ path }: Pick<z.core.$ZodIssue, 'path'>): string => cut(path.map(String).join('.'));

function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  let value = root;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = Reflect.get(value, key);
  }
  return value;
}

function typeOf(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeOf(value) === 'object';

const cut = (text: string, length: number = MAX_ECHOED_NAME): string =>
  text.length > length ? `${text.slice(0, length)}…` : text;
