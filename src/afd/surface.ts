/** The commands of a registry seen together: what AFD's own surface check would find, and a little more. Checklist 2–4. */
import { COMMAND_NAME, type DeclaredCommand, getHandoffProtocol, isHandoffCommand } from './command.ts';

const MIN_DESCRIPTION_LENGTH = 20;
const ERROR_CODE = /^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$/;

/** What AFD takes for a verb, in the imperative; its third person counts as well. */
const VERBS = new Set(
  (
    'add calculate check compute connect create delete destroy disable disconnect enable execute export ' +
    'fetch find get import insert invoke list modify patch publish query remove reset restart retrieve ' +
    'return run search send set start stop submit subscribe unsubscribe update validate verify'
  ).split(' '),
);

export interface SurfaceFinding {
  /** AFD finds this an error, or only a warning; we want neither. */
  severity: 'error' | 'warning';
  command: string;
  message: string;
}

/** Everything that is wrong with the commands; empty when they may be shipped. */
export function validateCommandSurface(commands: readonly DeclaredCommand[]): SurfaceFinding[] {
  return [...commands.flatMap(findingsOf), ...collisions(commands)];
}

function findingsOf(command: DeclaredCommand): SurfaceFinding[] {
  const findings: SurfaceFinding[] = [];
  const expect = (ok: boolean, severity: SurfaceFinding['severity'], message: string) => {
    if (!ok) findings.push({ severity, command: command.name, message });
  };
  const { name, description, tags, errors } = command;
  expect(COMMAND_NAME.test(name), 'error', 'the name is not kebab-case domain-action');
  expect(
    description.length >= MIN_DESCRIPTION_LENGTH,
    'warning',
    `the description has fewer than ${MIN_DESCRIPTION_LENGTH} characters`,
  );
  expect(startsWithVerb(description), 'warning', "the description does not begin with one of AFD's verbs");
  expect(
    tags.includes(command.category),
    'warning',
    `the category ${command.category} is not among the tags`,
  );
  expect(new Set(tags).size === tags.length, 'error', 'a tag stands twice');
  expect(errors.length > 0, 'warning', 'no errors are declared');
  const bad = errors.filter((code) => !ERROR_CODE.test(code));
  expect(bad.length === 0, 'error', `not an error code: ${bad.join(', ')}`);
  expect(!(command.mutation && tags.includes('read')), 'error', 'a mutation is tagged read');
  expect(command.mutation || !tags.includes('write'), 'error', 'tagged write, but no mutation');
  for (const example of command.examples) {
    const fits = command.input.safeParse(example.input).success;
    expect(fits, 'error', `the example "${example.title}" does not fit the input schema`);
  }
  if (isHandoffCommand(command)) expectHandoff(command, expect);
  return findings;
}

function expectHandoff(
  command: DeclaredCommand,
  expect: (ok: boolean, severity: SurfaceFinding['severity'], message: string) => void,
): void {
  const protocol = getHandoffProtocol(command);
  const first = command.tags.find((tag) => tag.startsWith('handoff:'));
  expect(command.handoff, 'error', 'tagged handoff, but handoff is not true');
  expect(command.handoffProtocol !== undefined, 'error', 'a handoff without handoffProtocol');
  expect(first === `handoff:${protocol}`, 'error', 'the protocol is not the first of the handoff:… tags');
}

/** Names that differ only in their separators: a dotted alias would find the wrong one. */
function collisions(commands: readonly DeclaredCommand[]): SurfaceFinding[] {
  const seen = new Map<string, string>();
  return commands.flatMap(({ name }): SurfaceFinding[] => {
    const key = name.replaceAll('-', '');
    const other = seen.get(key);
    seen.set(key, name);
    return other === undefined
      ? []
      : [{ severity: 'error', command: name, message: `collides with ${other}` }];
  });
}

function startsWithVerb(description: string): boolean {
  const word = /^[a-z]+/i.exec(description)?.[0].toLowerCase() ?? '';
  const stems = [word, word.replace(/s$/, ''), word.replace(/es$/, ''), word.replace(/ies$/, 'y')];
  return stems.some((stem) => VERBS.has(stem));
}
