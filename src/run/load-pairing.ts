/** Text of a pairing file → Pairing, or an error that names file, line and column of every mistake. */
import { type Document, isMap, isNode, isPair, isScalar, LineCounter, parseDocument } from 'yaml';
import type * as z from 'zod';
import { RelayError } from '../base/errors.ts';
import { type Pairing, pairingSchema } from './schema.ts';

/** Bytes. A person writes it; a gigabyte is another file. */
export const MAX_FILE_BYTES = 1024 * 1024;
/** Mistakes shown at once; the rest is counted. */
const SHOWN = 20;
/** Aliases a file may resolve to: beyond it is a bomb. */
const MAX_ALIASES = 100;

type Path = readonly (string | number)[];

/** A mistake and where it stands. */
export interface Mistake {
  path: (string | number)[];
  message: string;
}

/**
 * JSON is YAML too: one parser reads both. `check` finds what a schema cannot, such as programs that are not
 * there. Throws PAIRING_INVALID.
 */
export function parsePairing(
  text: string,
  file: string,
  check: (pairing: Pairing) => Mistake[] = () => [],
): Pairing {
  if (Buffer.byteLength(text) > MAX_FILE_BYTES) {
    throw invalid([`${file}: it is larger than ${MAX_FILE_BYTES} bytes`]);
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const where = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  if (document.errors.length > 0) {
    throw invalid(document.errors.map((error) => `${where(error.pos[0])}: ${error.message}`));
  }
  const result = pairingSchema.safeParse(plain(document, file));
  const mistakes = result.success ? check(result.data) : result.error.issues.map(mistakeOf);
  if (result.success && mistakes.length === 0) return result.data;
  throw invalid(
    mistakes.map(({ path, message, key }: Mistake & { key?: string }) => {
      // An unknown key is shown where it stands, not where its object begins.
      const at = offsetOf(document, key === undefined ? path : [...path, key]);
      return `${where(at)}: ${[renderPath(path), message].filter(Boolean).join(': ')}`;
    }),
  );
}

function mistakeOf(issue: z.core.$ZodIssue): Mistake & { key?: string } {
  const path = issue.path.filter((step) => typeof step !== 'symbol');
  const key = issue.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
  return { path, message: issue.message, ...(key === undefined ? {} : { key }) };
}

function plain(document: Document, file: string): unknown {
  try {
    return document.toJS({ maxAliasCount: MAX_ALIASES });
  } catch (error) {
    throw invalid([`${file}: ${(error as Error).message}`]);
  }
}

/** The offset of a place; of what encloses it, if it is missing. */
function offsetOf(document: Document, path: Path): number {
  for (let length = path.length; length >= 0; length--) {
    const parent = length === 0 ? undefined : document.getIn(path.slice(0, length - 1), true);
    if (isMap(parent)) {
      // The key is where the eye looks, and also there if its value is empty.
      const pair = parent.items.find(
        (item) => isPair(item) && isScalar(item.key) && String(item.key.value) === String(path[length - 1]),
      );
      if (pair !== undefined && isNode(pair.key)) return pair.key.range?.[0] ?? 0;
    }
    const node = document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return 0;
}

/** `agents[0].env.HOME`: as it is written in the file. */
const renderPath = (path: Path): string =>
  path
    .map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`))
    .join('')
    .replace(/^\./, '');

function invalid(mistakes: readonly string[]): RelayError {
  const shown = mistakes.slice(0, SHOWN);
  if (mistakes.length > shown.length) shown.push(`and ${mistakes.length - shown.length} more`);
  return new RelayError('PAIRING_INVALID', shown.join('\n'));
}
