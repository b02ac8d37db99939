import { describe, expect, it } from 'vitest';
import { markedEnv, type ProcessRow, selectProcesses } from '../../../src/run/processes.ts';

const row = (pid: number, parent: number, group: number, marked = false): ProcessRow => ({
  pid,
  parent,
  group,
  marked,
});

describe('the processes of a run', () => {
  const rows = [
    row(1, 0, 1),
    row(process.pid, 1, 1),
    row(1000, process.pid, 1000, true),
    row(1001, 1000, 1001),
    row(1002, 1, 1001),
    row(1003, 1, 1003, true),
    row(1004, 1002, 1004),
    row(2000, process.pid, 2000),
    row(2001, 1, 1),
  ];

  it('are those marked, their descendants, and who shares a session with them; never this one', () => {
    expect(selectProcesses(rows, new Set()).sort()).toEqual([1000, 1001, 1002, 1003, 1004]);
  });

  it('are also those known to be, if they are still there', () => {
    expect(selectProcesses(rows, new Set([2000, 9999])).sort()).toEqual([1000, 1001, 1002, 1003, 1004, 2000]);
    expect(selectProcesses([row(process.pid, 1, 1, true)], new Set())).toEqual([]);
  });

  it('carry the marks of the runs around them too', () => {
    expect(markedEnv({}, 'a')).toEqual({ AGENT_WRAP_RUN: 'a' });
    expect(markedEnv({ AGENT_WRAP_RUN: 'a' }, 'b')).toEqual({ AGENT_WRAP_RUN: 'a:b' });
  });
});
