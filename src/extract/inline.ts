/** Inline directives: `>>relay:bob text` and `>>thinking:* text`, one line, at its very start. Spec §9. */
import type { Directive } from './directive.ts';
import { MAX_DIRECTIVE_BYTES } from './limits.ts';

const KINDS = { '>>relay:': 'message', '>>thinking:': 'thinking' } as const;

/** P9; `*` is everybody. Whether the name is reserved or known is not the extractor's to judge. */
const NAME = /^(?:\*|[A-Za-z0-9_.-]{1,64})$/;

export const isTarget = (name: string): boolean => NAME.test(name) && name !== '.' && name !== '..';

export type InlineResult = { directive: Directive } | { reason: string } | undefined;

/**
 * What a line says: a directive, the reason why it is none, or `undefined` for a line that does not
 * claim to be one. Without a body (`>>relay:bob`) or without a name (`>>relay: see below`) it is prose.
 */
export function parseInline(line: string): InlineResult {
  if (!line.startsWith('>>')) return undefined;
  for (const [marker, kind] of Object.entries(KINDS)) {
    if (line.startsWith(marker)) return parseAfter(line.slice(marker.length), kind);
  }
  return undefined;
}

function parseAfter(text: string, kind: string): InlineResult {
  const blank = text.search(/[ \t]/);
  if (blank < 1) return undefined;
  const body = text.slice(blank).trim();
  if (body === '') return undefined;
  const to = text.slice(0, blank);
  if (!isTarget(to)) return { reason: 'the name after the colon is not an agent name' };
  if (Buffer.byteLength(body) > MAX_DIRECTIVE_BYTES) return { reason: tooLong };
  return { directive: { to, kind, body } };
}

export const tooLong = `it is longer than ${MAX_DIRECTIVE_BYTES} bytes`;

/**
 * Text for people with the escape of spec §9 taken away: `\>>relay:` at the start of a line shows as
 * `>>relay:`. For what we print ourselves; the terminal's own output is never edited (P25).
 */
export const renderLiteral = (text: string): string => text.replace(/^\\(?=>>(?:relay|thinking):)/gm, '');
