/**
 * A command written as one line, split into words as a shell does: blanks, quotes, backslashes. Whatever a
 * shell would expand, pipe or redirect is refused, because here it would mean something else.
 */

export const COMMAND_WAY_OUT =
  'write it as a list of words, or as ["sh", "-c", "…"]: quotes must be closed, and nothing is expanded or piped here';

/** What a shell gives a meaning outside quotes; `$` and backquote keep it inside double quotes. */
const SHELL_SYNTAX = /[|&;<>()$`*?[\]{}~#!\n]/;

/** The words, or undefined for a line that only a shell could understand. */
export function splitCommand(line: string): string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  for (let at = 0; at < line.length; at++) {
    const character = line.charAt(at);
    if (character === ' ' || character === '\t') {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (character === "'" || character === '"') {
      const quoted = character === "'" ? singleQuoted(line, at) : doubleQuoted(line, at);
      if (quoted === undefined) return undefined;
      word = (word ?? '') + quoted.text;
      at = quoted.end;
    } else if (character === '\\') {
      at++;
      if (at === line.length) return undefined;
      word = (word ?? '') + line.charAt(at);
    } else if (SHELL_SYNTAX.test(character)) {
      return undefined;
    } else {
      word = (word ?? '') + character;
    }
  }
  if (word !== undefined) words.push(word);
  return words;
}

function singleQuoted(line: string, open: number): { text: string; end: number } | undefined {
  const end = line.indexOf("'", open + 1);
  return end === -1 ? undefined : { text: line.slice(open + 1, end), end };
}

function doubleQuoted(line: string, open: number): { text: string; end: number } | undefined {
  let text = '';
  for (let at = open + 1; at < line.length; at++) {
    const character = line.charAt(at);
    if (character === '"') return { text, end: at };
    if (character === '$' || character === '`') return undefined;
    if (character !== '\\') text += character;
    else {
      const next = line.charAt(++at);
      text += '"\\$`'.includes(next) && next !== '' ? next : `\\${next}`;
    }
  }
  return undefined;
}
