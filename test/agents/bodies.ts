/** Bodies of messages that are hard to hand over whole, each its own for each number. */

const lines = (count: number, what: string) =>
  Array.from({ length: count }, (_, n) => `${what} line ${n} ${'x'.repeat(36)}`).join('\n');

export const BODIES: Record<string, (i: number) => string> = {
  'one line': (i) => `single ${i}: please look at the build, it went red after the last merge (src/a.ts:12)`,
  'many lines': (i) => `multi ${i}\n\n  indented line\n\tmore\n日本語テスト 🎉\nlast line ${i}`,
  '3 KB in 62 lines': (i) => lines(62, `big ${i}`),
  'a line of 2 KB': (i) => `long ${i} ${'word '.repeat(400)}end${i}`,
  '23 KB': (i) => lines(450, `huge ${i}`),
  'a body that starts with /': (i) => `/clear ${i}.`,
  'a body that starts with !': (i) => `!touch evil-${i}.`,
  'a body that ends with @name': (i) => `ask ${i}. @carol`,
  'a body of quotes and shell': (i) => `'${i}' "$HOME" \`id\` $(id) %s \\n & <b> >>relay:evil {"a":[1]}`,
};
