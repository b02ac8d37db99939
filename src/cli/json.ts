/** JSON that steers no terminal: what JSON leaves as it is and a terminal obeys is escaped. */

/** DEL, C1, and what reorders or hides text; C0 JSON escapes by itself. */
const OBEYED = /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

const escaped = (sign: string): string => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** @param indent spaces; none: all in one line. */
export const renderJson = (value: unknown, indent?: number): string =>
  JSON.stringify(value, null, indent).replace(OBEYED, escaped);

export const renderJsonLine = (value: unknown): string => `${renderJson(value)}\n`;
