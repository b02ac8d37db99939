/** How many cells of a terminal a text takes, and texts made to fit. UAX #11, #29. */

/** East Asian wide characters and what is drawn as an emoji take two cells. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1b000}-\u{1b2ff}\u{20000}-\u{3fffd}]|\ufe0f|\p{Emoji_Presentation}/u;
/** Marks that stand on the character before, and what is not seen at all. */
const ZERO = /^[\p{Mn}\p{Me}\p{Cf}\u1160-\u11ff]+$/u;

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

function widthOf(grapheme: string): number {
  if (ZERO.test(grapheme)) return 0;
  return WIDE.test(grapheme) ? 2 : 1;
}

/** Cells of a text without controls. */
export function cells(text: string): number {
  let count = 0;
  for (const { segment } of graphemes.segment(text)) count += widthOf(segment);
  return count;
}

/** Exactly `width` cells: padded with blanks, or cut, with `…` where something is missing. */
export function toWidth(text: string, width: number): string {
  if (width <= 0) return '';
  let kept = '';
  let filled = 0;
  for (const { segment } of graphemes.segment(text)) {
    const more = widthOf(segment);
    if (filled + more > width) return cut(kept, filled, width);
    kept += segment;
    filled += more;
  }
  return kept + ' '.repeat(width - filled);
}

/** Makes room for the `…` at the end of a text that is followed by more. */
function cut(text: string, filled: number, width: number): string {
  const parts = [...graphemes.segment(text)].map(({ segment }) => segment);
  let left = filled;
  while (left > width - 1) left -= widthOf(parts.pop() ?? '');
  return `${parts.join('')}…${' '.repeat(width - 1 - left)}`;
}

/** The end of a text that fits, as one sees of a line while typing it. */
export function endOfWidth(text: string, width: number): string {
  const parts = [...graphemes.segment(text)].map(({ segment }) => segment);
  let filled = 0;
  let at = parts.length;
  while (at > 0 && filled + widthOf(parts[at - 1] as string) <= width)
    filled += widthOf(parts[--at] as string);
  return parts.slice(at).join('');
}
