import { beforeAll, describe, expect, it } from 'vitest';
import { complete } from '../../../src/cli/complete.ts';
import { loadProgram, optionsOf, type Program } from '../../../src/cli/program.ts';
import { SUBCOMMANDS } from '../../../src/cli/subcommands.ts';

let program: Program;
beforeAll(async () => {
  program = await loadProgram(SUBCOMMANDS);
});

const words = (...line: string[]) => complete(program, line).candidates.map(({ word }) => word);
const and = (...line: string[]) => complete(program, line).and;

describe('completing a command line', () => {
  it('begins with every command that general help shows, and the programs one may wrap', () => {
    const shown = Object.keys(SUBCOMMANDS).filter((name) => SUBCOMMANDS[name]?.summary !== undefined);
    expect(words('')).toEqual(shown);
    expect(and('')).toBe('programs');
    expect(words('compl')).toEqual(['completions']);
  });

  it('knows every option of every command', () => {
    expect(words('-')).toEqual(optionsOf(program.wrap).map(({ long }) => long));
    for (const { name, command } of program.subcommands) {
      expect(words(name, '--')).toEqual(optionsOf(command).map(({ long }) => long));
    }
  });

  it('offers the values an option takes, files for a path, and nothing for a free text', () => {
    expect(words('--inject', '')).toEqual(['auto', 'keys', 'native', 'off']);
    expect(words('--log-level', 'w')).toEqual(['warn']);
    expect(and('--log-file', '')).toBe('files');
    expect(complete(program, ['--name', ''])).toEqual({ candidates: [] });
  });

  it('knows the commands of the relay, as the first argument of call', () => {
    expect(words('call', 'relay-re')).toEqual([
      'relay-reconnect',
      'relay-refresh-token',
      'relay-report',
      'relay-redeliver',
      'relay-release',
    ]);
    expect(words('call', '--format', 'text', 'relay-p')).toEqual(['relay-poll']);
    expect(words('call', 'relay-send', '')).toEqual([]);
  });

  it('does not take the value of an option for a command', () => {
    expect(words('--name', 'send', '--inj')).toEqual(['--inject']);
    expect(and('--name', 'send', '')).toBe('programs');
  });

  it('offers an argument’s choices', () => {
    expect(words('completions', '')).toEqual(['bash', 'zsh', 'fish']);
  });

  it('leaves the agent’s own words to the shell', () => {
    expect(complete(program, ['--name', 'ada', 'claude', '--na'])).toEqual({ candidates: [], and: 'files' });
    expect(complete(program, ['claude', 'send', '--'])).toEqual({ candidates: [], and: 'files' });
  });

  it('after -- knows no options and no commands', () => {
    expect(complete(program, ['--', ''])).toEqual({ candidates: [], and: 'programs' });
    expect(complete(program, ['--', 'send', '--'])).toEqual({ candidates: [], and: 'files' });
  });
});
