import { describe, expect, it } from 'vitest';
import { commandOf, textEnv, wrapperOptions } from '../../../src/run/agent-command.ts';

describe('an agent of a pairing file as a command', () => {
  it('is its words, or its line split as a shell does', () => {
    expect(commandOf({ command: ['sh', '-c', 'exit 3'] })).toEqual(['sh', '-c', 'exit 3']);
    expect(commandOf({ command: `sh -c 'exit 3'` })).toEqual(['sh', '-c', 'exit 3']);
  });

  it('has text for variables, and takes away what is null', () => {
    expect(Object.entries(textEnv({ N: 1, ON: true, PATH: null }))).toEqual([
      ['N', '1'],
      ['ON', 'true'],
      ['PATH', undefined],
    ]);
    expect(textEnv()).toEqual({});
  });

  it('has options for its wrapper where the file says so', () => {
    expect(wrapperOptions({ topics: ['a', 'b'], profile: 'codex' })).toEqual([
      ...['--topic', 'a', '--topic', 'b'],
      ...['--profile', 'codex'],
    ]);
    expect(wrapperOptions({})).toEqual([]);
  });
});
