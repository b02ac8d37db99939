/** The cases of fixtures/extract-cases.json: terminal text and the directives that must come of it. */
import { readFileSync } from 'node:fs';
import type { Directive } from '../../src/extract/directive.ts';

type Text = string | (string | { $repeat: [string, number] })[];

interface RawCase {
  name: string;
  input: Text;
  expected: (Omit<Directive, 'body'> & { body: Text })[];
  expected_output_contains?: string;
  expected_output_lacks?: string;
}

export interface ExtractCase {
  name: string;
  input: string;
  expected: Directive[];
  outputContains: string | undefined;
  outputLacks: string | undefined;
}

const expand = (text: Text): string =>
  typeof text === 'string'
    ? text
    : text
        .map((part) => (typeof part === 'string' ? part : part.$repeat[0].repeat(part.$repeat[1])))
        .join('');

const file = new URL('../../fixtures/extract-cases.json', import.meta.url);

export const EXTRACT_CASES: ExtractCase[] = (
  JSON.parse(readFileSync(file, 'utf8')) as { cases: RawCase[] }
).cases.map((raw) => ({
  name: raw.name,
  input: expand(raw.input),
  expected: raw.expected.map((directive) => ({ ...directive, body: expand(directive.body) })),
  outputContains: raw.expected_output_contains,
  outputLacks: raw.expected_output_lacks,
}));
