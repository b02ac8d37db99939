import { Chalk } from 'chalk';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LiveView } from '../../../src/run/live-view.ts';
import { Screen } from '../../../src/terminal/screen.ts';
import type { WatchedAgent } from '../../../src/watch/model.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';

/** An emulated terminal; what is written to it is what the person sees. */
class Terminal {
  columns = 60;
  rows = 8;
  written = '';
  readonly #screen = new Screen({ cols: 60, rows: 8, clock: new FakeClock(), convertEol: true });

  write(text: string): void {
    this.written += text;
    this.#screen.push(Buffer.from(text));
  }

  resize(columns: number, rows: number): void {
    this.#screen.resize(columns, rows);
    [this.columns, this.rows] = [columns, rows];
  }

  /** All rows up to the cursor's. */
  async seen(): Promise<string[]> {
    await this.#screen.drained();
    return this.#screen.rows().slice(0, this.#screen.cursor.row + 1);
  }

  close(): void {
    this.#screen.close();
  }
}

const agent = (name: string, status = 'ready'): WatchedAgent => ({
  name,
  state: 'active',
  status,
  queueDepth: 2,
  inflight: 1,
});
const HEAD = '  AGENT             STATE       QUEUE INFLIGHT';
const row = (name: string, state: string) => `  ${name.padEnd(18)}${state.padEnd(12)}2     1`;

let terminal: Terminal;
let view: LiveView;
let resumed: (() => void)[];
beforeEach(() => {
  terminal = new Terminal();
  resumed = [];
  const signals = {
    on: (_: NodeJS.Signals, handler: () => void) => {
      resumed.push(handler);
      return () => resumed.splice(resumed.indexOf(handler), 1);
    },
    raise: () => {},
  };
  view = new LiveView(terminal, new Chalk({ level: 2 }), signals);
});
afterEach(() => {
  view.close();
  terminal.close();
});

describe('a run on a terminal', () => {
  it('shows its agents below its lines, as they are now', async () => {
    view.line('first');
    view.show([agent('ada'), agent('bob')]);
    view.line('second');
    view.show([agent('ada', 'busy'), agent('bob')]);
    expect(await terminal.seen()).toEqual([
      'first',
      'second',
      HEAD,
      row('ada', 'busy'),
      row('bob', 'ready'),
      '',
    ]);
  });

  it('leaves its lines alone, and is nothing but lines after its end', async () => {
    view.line('first');
    view.show([agent('ada')]);
    for (let n = 0; n < 20; n++) view.line(`line ${n}`);
    view.close();
    view.close();
    view.show([agent('late')]);
    view.line('result');
    const lines = Array.from({ length: 5 }, (_, i) => `line ${15 + i}`);
    expect(await terminal.seen()).toEqual([...lines, 'result', '']);
    expect(resumed).toEqual([]);
  });

  it('writes nothing while nothing changes', () => {
    view.show([agent('ada')]);
    const { written } = terminal;
    view.show([agent('ada')]);
    expect(terminal.written).toBe(written);
  });

  it('takes half of the rows at most, and sets no mode that would outlive it', async () => {
    view.line('first');
    view.show(Array.from({ length: 30 }, (_, i) => agent(`agent-${i}`)));
    expect(await terminal.seen()).toHaveLength(1 + 4 + 1);
    expect(terminal.written).not.toMatch(/\x1b\[\?|\x1b[78]|\x1b\[s/);
  });

  it('is in place after the terminal has become narrower', async () => {
    view.line('first');
    view.show([agent('ada')]);
    terminal.resize(30, 8);
    view.line('second');
    expect(await terminal.seen()).toEqual(['first', 'second', '  AGENT', '  ada', '']);
  });

  it('does not paint over what the shell wrote while it was stopped', async () => {
    view.show([agent('ada')]);
    terminal.write('[1]+ Stopped\n$ fg\n');
    for (const handler of resumed) handler();
    view.show([agent('ada')]);
    expect(await terminal.seen()).toEqual([
      HEAD,
      row('ada', 'ready'),
      '[1]+ Stopped',
      '$ fg',
      HEAD,
      row('ada', 'ready'),
      '',
    ]);
  });
});
