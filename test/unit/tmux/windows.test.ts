import { describe, expect, it } from 'vitest';
import { joinCommands, parseVersion } from '../../../src/tmux/tmux.ts';
import { panesPerWindow, teamCommands } from '../../../src/tmux/windows.ts';

function open(count: number, cols: number, rows: number, session?: string): string[] {
  const members = Array.from({ length: count }, (_, i) => ({
    name: `a${i}`,
    command: [],
    cwd: '/',
    env: {},
    options: [],
  }));
  const commands = teamCommands({
    team: 'team',
    members,
    size: { cols, rows },
    session,
    command: ({ name }) => ['run', name],
  });
  return commands.map((words) => words.join(' '));
}

const opened = (commands: string[]) =>
  commands.flatMap((line) =>
    /^(new-session|new-window|split-window)/.test(line) ? [line.split(' ')[0]] : [],
  );
const layout = (commands: string[]) => commands.filter((line) => line.startsWith('select-layout')).at(-1);

describe('the windows of a team', () => {
  it('are in a session of their own, or in one that is there', () => {
    expect(open(1, 80, 24)[0]).toBe('new-session -d -s team -x 80 -y 24 -n team -c / -- run a0');
    expect(open(1, 80, 24, '$3')[0]).toBe('new-window -t $3: -n team -c / -- run a0');
  });

  it('stand two side by side where both have 80 columns, else one above the other; more are tiled', () => {
    expect(layout(open(2, 161, 50))).toBe('select-layout -t =team: even-horizontal');
    expect(layout(open(2, 160, 50))).toBe('select-layout -t =team: even-vertical');
    expect(layout(open(3, 160, 50))).toBe('select-layout -t =team: tiled');
  });

  it('are as many as the agents need', () => {
    expect(panesPerWindow({ cols: 80, rows: 23 })).toBe(2);
    expect(panesPerWindow({ cols: 10, rows: 2 })).toBe(1);
    expect(opened(open(5, 80, 23))).toEqual([
      'new-session',
      'split-window',
      'new-window',
      'split-window',
      'new-window',
    ]);
  });
});

describe('the words for tmux', () => {
  it('end a command only where one ends', () => {
    expect(
      joinCommands([
        ['a', 'b;'],
        ['c;d', ';'],
      ]),
    ).toEqual(['a', 'b\\;', ';', 'c;d', '\\;']);
  });

  it('tell its version', () => {
    expect(parseVersion('tmux 3.3a\n')).toEqual([3, 3]);
    expect(parseVersion('tmux next-3.6\n')).toEqual([3, 6]);
    expect(parseVersion('tmux master\n')).toBeUndefined();
  });
});
