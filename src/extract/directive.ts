/** What the extractor finds in an agent's speech: one message in text form. Spec §9. */

export interface Directive {
  /** An agent's name, or `*` for everybody. */
  to: string;
  /** `message`, `thinking`, or the `type` of a block. */
  kind: string;
  body: string;
  topic?: string;
  thread?: string;
  data?: Record<string, unknown>;
}

/** A directive and where it began: `offset` is the start of its line, in UTF-16 code units of the source. */
export interface Found {
  directive: Directive;
  offset: number;
}

/** Why something that looks like a directive is not one. Nothing is dropped in silence. */
export interface Rejection {
  code: 'BLOCK_INVALID' | 'DIRECTIVE_INVALID' | 'FENCE_UNCLOSED';
  reason: string;
  /** The beginning of the offending text, short enough for a log line. */
  excerpt: string;
  offset: number;
}

const EXCERPT_UNITS = 120;

export const excerpt = (text: string): string =>
  text.length <= EXCERPT_UNITS ? text : `${text.slice(0, EXCERPT_UNITS)}…`;
