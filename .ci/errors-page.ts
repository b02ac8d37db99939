/** Writes the table of docs/errors.md from src/base/errors.ts: `npm run docs`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { ERRORS } from '../src/base/errors.ts';

const page = new URL('../docs/errors.md', import.meta.url);
const kept = readFileSync(page, 'utf8')
  .split('\n')
  .filter((line) => !line.startsWith('| `'));
const rows = Object.entries(ERRORS).map(
  ([code, { meaning, suggestion, retryable }]) =>
    `| \`${code}\` | ${meaning} | ${suggestion} | ${retryable ? 'yes' : 'no'} |`,
);
const rule = kept.findIndex((line) => /^\|[\s:|-]+\|$/.test(line));
writeFileSync(page, [...kept.slice(0, rule + 1), ...rows, ...kept.slice(rule + 1)].join('\n'));
