import { describe, expect, it } from 'vitest';
import { agentSchema } from '../../../src/run/agent-schema.ts';

/** What is wrong with an agent that is otherwise in order; undefined: nothing. */
const wrongWith = (more: object): string | undefined =>
  agentSchema.safeParse({ name: 'ada', command: 'sh', ...more }).error?.issues[0]?.message;

describe('an agent of a pairing file', () => {
  it('runs words, or a line that is split as a shell does', () => {
    expect(wrongWith({ command: ['sh', '-c', 'exit 3 # "'] })).toBeUndefined();
    expect(wrongWith({ command: `sh -c 'exit 3'` })).toBeUndefined();
    expect(wrongWith({ command: `sh -c 'exit 3` })).toBeDefined();
  });

  it('runs a program', () => {
    for (const command of [[''], '""', ' ']) expect(wrongWith({ command })).toBe('it names no program');
    expect(wrongWith({ command: ['sh', 'a\0b'] })).toBe('a word holds a NUL');
  });

  it('has a name of its own: not one of the relay’s, and not that of all agents', () => {
    expect(wrongWith({ name: 'user' })).toMatch(/^a name is 1–64/);
    expect(wrongWith({ name: 'all' })).toMatch(/^no agent may be called `all`/);
  });

  it('is given variables, but none that the run sets itself', () => {
    expect(wrongWith({ env: { COLOR: 1, DEBUG: true, EDITOR: null } })).toBeUndefined();
    expect(wrongWith({ env: { 'A=B': 'c' } })).toBeDefined();
    for (const name of ['AGENT_RELAY_NAME', 'AGENT_WRAP_SEED', 'XDG_STATE_HOME'])
      expect(wrongWith({ env: { [name]: 'x' } })).toBe('the run sets it itself');
    expect(wrongWith({ env: { XDG_STATE_HOME_OF_MINE: 'x' } })).toBeUndefined();
  });
});
