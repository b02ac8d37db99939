import { describe, expect, it } from 'vitest';
import { RelayError } from '../../../src/base/errors.ts';
import { parsePairing } from '../../../src/run/load-pairing.ts';

const TWO = `
agents:
  - name: ada
    command: [node, ada.js]
  - name: bob
    command: node bob.js 'two words'
`;

function mistake(text: string): string {
  try {
    parsePairing(text, 'p.yaml');
  } catch (error) {
    expect(error).toBeInstanceOf(RelayError);
    expect((error as RelayError).code).toBe('PAIRING_INVALID');
    return (error as RelayError).message;
  }
  throw new Error('it was taken');
}

describe('a pairing file', () => {
  it('needs no more than agents, and ends when all have ended', () => {
    const pairing = parsePairing(TWO, 'p.yaml');
    expect(pairing.agents.map(({ name }) => name)).toEqual(['ada', 'bob']);
    expect(pairing).toMatchObject({
      timeout: 300,
      brake: true,
      until: [{ exited: 'all' }],
      messages: [],
      expect: [],
    });
  });

  it('may be JSON', () => {
    const text = JSON.stringify({ agents: [{ name: 'ada', command: ['true'] }] });
    expect(parsePairing(text, 'p.json').agents[0]?.command).toEqual(['true']);
  });

  it.each([
    ['an unknown key', `${TWO}colour: red\n`, /^p\.yaml:7:1: .*colour/],
    [
      'an unknown key of an agent',
      'agents:\n  - name: a\n    command: [x]\n    comand: y\n',
      /^p\.yaml:4:5: agents\[0\]: .*comand/,
    ],
    ['a missing key, shown at what lacks it', 'agents:\n  - name: a\n', /^p\.yaml:2:5: agents\[0\]\.command/],
    ['a value of the wrong type', `${TWO}timeout: soon\n`, /^p\.yaml:7:1: timeout: .*number/],
    [
      'two agents of one name',
      'agents:\n  - {name: a, command: [x]}\n  - {name: a, command: [x]}\n',
      /^p\.yaml:3:6: agents\[1\]\.name: there are two agents called a/,
    ],
    ['a reserved name', 'agents:\n  - {name: user, command: [x]}\n', /reserved|none of user/],
    [
      'an agent nobody knows',
      `${TWO}until:\n  - exited: carol\n`,
      /^p\.yaml:8:5: until\[0\]\.exited: no agent here is called carol/,
    ],
    [
      'an exit code of an agent nobody knows',
      `${TWO}expect:\n  - exit: {carol: 0}\n`,
      /^p\.yaml:8:12: expect\[0\]\.exit\.carol/,
    ],
    [
      'a broken expression',
      `${TWO}expect:\n  - never: {body: "("}\n`,
      /^p\.yaml:8:13: expect\[0\]\.never\.body: .*Unterminated/,
    ],
    [
      'two things in one condition',
      `${TWO}until:\n  - {exited: all, messages: 3}\n`,
      /exactly one of exited, message/,
    ],
    [
      'a command for a shell',
      'agents:\n  - {name: a, command: "ls | wc"}\n',
      /^p\.yaml:2:15: agents\[0\]\.command: write it as a list/,
    ],
    [
      'a variable that the run sets',
      'agents:\n  - {name: a, command: [x], env: {XDG_STATE_HOME: /x}}\n',
      /agents\[0\]\.env\.XDG_STATE_HOME: the run sets it itself/,
    ],
    ['a key that stands twice', `${TWO}timeout: 1\ntimeout: 2\n`, /^p\.yaml:8:1: .*unique/],
    ['no YAML at all', 'agents: [\n', /^p\.yaml:\d+:\d+: /],
    ['two documents', `${TWO}---\na: 1\n`, /multiple documents/],
    ['nothing', '', /^p\.yaml:1:1: /],
  ])('with %s is refused, with the line', (_what, text, expected) => {
    expect(mistake(text)).toMatch(expected);
  });

  it('shows every mistake, not only the first', () => {
    expect(mistake('agents: []\ntimeout: 0\n').split('\n')).toHaveLength(2);
  });

  it('cannot blow up by aliases', () => {
    const levels = Array.from({ length: 12 }, (_, n) => `l${n + 1}: &l${n + 1} [${`*l${n},`.repeat(9)}]`);
    expect(mistake(`l0: &l0 x\n${levels.join('\n')}\n`)).toMatch(/alias/i);
  });
});
