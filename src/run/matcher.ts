/** A matcher of the pairing file, ready to be asked about messages. docs/run.md "Matchers". */
import { isDeepStrictEqual } from 'node:util';
import { isOpen, type RunMessage } from './conversation.ts';
import { parsePath, valueAt } from './json-path.ts';
import { compilePattern, matchesPattern } from './pattern.ts';
import type { Matcher } from './schema.ts';

type Test = (message: RunMessage) => boolean;

/** Whether all that the matcher names is true of the message. The test throws TIMEOUT (see pattern.ts). */
export function compileMatcher(matcher: Matcher): Test {
  const tests = [...plainTests(matcher), ...dataTests(matcher)];
  return (message) => tests.every((test) => test(message));
}

function plainTests({ from, to, topic, kind, body, fate }: Matcher): Test[] {
  const tests: Test[] = [];
  if (from !== undefined) tests.push((message) => [from].flat().includes(message.from));
  if (to !== undefined) {
    const names = [to].flat();
    tests.push(
      (message) =>
        (message.to !== undefined && names.includes(message.to)) ||
        message.recipients.some(({ name }) => names.includes(name)),
    );
  }
  if (topic !== undefined) tests.push((message) => message.topic === topic);
  if (kind !== undefined) tests.push((message) => (message.kind ?? 'message') === kind);
  if (fate !== undefined) tests.push(fateTest(fate));
  if (body !== undefined) {
    const expression = compilePattern(body);
    tests.push((message) => matchesPattern(expression, message.body));
  }
  return tests;
}

function fateTest(fate: NonNullable<Matcher['fate']>): Test {
  switch (fate) {
    case 'delivered':
      return ({ recipients }) =>
        recipients.length > 0 &&
        recipients.every((each) => each.fate === 'delivered' || each.fate === 'written');
    case 'waiting':
      return ({ recipients }) => recipients.some(isOpen);
    case 'dead':
      return ({ recipients }) => recipients.some((each) => each.fate === 'dead');
  }
}

function dataTests({ data = [] }: Matcher): Test[] {
  return data.map(({ path, equals, matches }) => {
    const steps = parsePath(path) ?? [];
    const expression = matches === undefined ? undefined : compilePattern(matches);
    return (message) => {
      const value = valueAt(message.data, steps);
      if (value === undefined) return false;
      if (equals !== undefined && !isDeepStrictEqual(value, equals)) return false;
      return expression === undefined || (typeof value === 'string' && matchesPattern(expression, value));
    };
  });
}

/** A matcher in words, for reports: `from ada, body /c5/`. */
export function renderMatcher(matcher: Matcher): string {
  const words = Object.entries(matcher).map(([name, value]) => {
    if (name === 'body') return `body ${compilePattern(value as NonNullable<Matcher['body']>)}`;
    if (name === 'data')
      return `data ${(value as NonNullable<Matcher['data']>).map(renderDataTest).join(' and ')}`;
    return `${name} ${[value].flat().join('|')}`;
  });
  return words.join(', ');
}

function renderDataTest({ path, equals, matches }: NonNullable<Matcher['data']>[number]): string {
  const is = equals === undefined ? '' : ` = ${JSON.stringify(equals)}`;
  return `${path}${is}${matches === undefined ? '' : ` ~ ${compilePattern(matches)}`}`;
}
