import { describe, expect, it } from 'vitest';
import { KeyReader } from '../../../src/watch/keys.ts';
import { type Action, happen, initialState, MAX_DRAFT, type WatchState } from '../../../src/watch/model.ts';

const team = ['ada', 'bob'].map((name) => ({ name, state: 'active', queueDepth: 0, inflight: 0 }));

/** What the shell is asked to do when these bytes are typed. */
function typed(...chunks: string[]): { actions: Action[]; state: WatchState } {
  const reader = new KeyReader();
  let state = happen(initialState('default'), { type: 'agents', agents: team }).state;
  const actions: Action[] = [];
  for (const key of chunks.flatMap((chunk) => reader.push(Buffer.from(chunk)))) {
    const next = happen(state, { type: 'key', key });
    state = next.state;
    if (next.action !== undefined) actions.push(next.action);
  }
  return { actions, state };
}

describe('the keys of watch', () => {
  it('choose an agent, hold and release it', () => {
    expect(typed('h', '\x1b[B', 'h', 'r', '\x1bOA', 'r').actions).toEqual([
      { type: 'hold', agent: 'ada' },
      { type: 'hold', agent: 'bob' },
      { type: 'release', agent: 'bob' },
      { type: 'release', agent: 'ada' },
    ]);
  });

  it('follow the screen of the chosen agent, and leave it again', () => {
    const following = (...chunks: string[]) => typed(...chunks).state.followed?.agent;
    expect(following('f')).toBe('ada');
    expect(following('f', 'j')).toBe('bob');
    expect(following('f', '\x1b')).toBeUndefined();
    expect(following('f', 'f')).toBeUndefined();
    // While one writes, Esc gives the line up and not the screen.
    expect(following('f', 's', 'no f', '\x1b')).toBe('ada');
  });

  it('write a line to one agent or to everybody', () => {
    expect(typed('js', 'hqllo\x7f\x7f\x7f\x7fello é漢', '\r').actions).toEqual([
      { type: 'send', to: 'bob', body: 'hello é漢' },
    ]);
    expect(typed('b', 'lunch', '\r').actions).toEqual([{ type: 'send', to: '*', body: 'lunch' }]);
  });

  it('send nothing that was given up or left empty', () => {
    expect(typed('s', 'no', '\x1b').actions).toEqual([]);
    expect(typed('s', 'no', '\x03').actions).toEqual([]);
    expect(typed('s', '  ', '\r').actions).toEqual([]);
  });

  it('take a paste as text, cut as it may be: no key is in it', () => {
    expect(typed('s', '\x1b[200~one\rtwo\x03 q', '\x1b[31m\x1b[20', '1~', '\r').actions).toEqual([
      { type: 'send', to: 'ada', body: 'one ⏎ two q[31m' },
    ]);
  });

  it('end, stop and repaint', () => {
    const types = typed('\x03', 'q', '\x1a', '\x0c').actions.map(({ type }) => type);
    expect(types).toEqual(['quit', 'quit', 'suspend', 'redraw']);
  });

  it('pass over what the terminal says by itself', () => {
    expect(typed('\x1b[I\x1b[O\x1b[<0;1;1M\x1b[12;40R\x1bq\x1b[1;5C').actions).toEqual([]);
  });

  it('refuse what makes a line too long, and say how to send it', () => {
    const { state } = typed('s', 'x'.repeat(MAX_DRAFT), `\x1b[200~y\x1b[201~`);
    expect(state.draft?.text).toHaveLength(MAX_DRAFT);
    expect(state.notice).toContain('agent-wrap send ada');
  });
});

describe('what watch remembers', () => {
  it('the chosen agent stays chosen while others come, and another is chosen when it goes', () => {
    const { state } = typed('j');
    const names = (...all: string[]) =>
      all.map((name) => ({ name, state: 'active', queueDepth: 0, inflight: 0 }));
    expect(happen(state, { type: 'agents', agents: names('a', 'ada', 'bob') }).state.selected).toBe('bob');
    expect(happen(state, { type: 'agents', agents: names('a', 'ada') }).state.selected).toBe('a');
    expect(happen(state, { type: 'agents', agents: [] }).state.selected).toBeUndefined();
  });

  it('counts the messages it has let go', () => {
    let { state } = typed();
    for (let i = 0; i < 510; i++) {
      const event = { type: 'message', id: String(i), from: 'a', to: 'b', at: 0, size: 1 } as const;
      state = happen(state, { type: 'event', event }).state;
    }
    expect([state.messages.length, state.forgotten, state.messages[0]?.id]).toEqual([500, 10, '10']);
  });
});

describe('the screen that is followed', () => {
  const frame = { cols: 3, rows: 1, text: ['abc'], cursor: { row: 0, column: 3 } };
  const following = typed('f').state;

  it('takes the frames of its agent and of no other', () => {
    const shown = happen(following, { type: 'screen', agent: 'ada', frame }).state;
    expect(shown.followed).toEqual({ agent: 'ada', frame });
    expect(happen(shown, { type: 'screen', agent: 'bob', frame: undefined }).state).toEqual(shown);
  });

  it('goes with the choice when its agent is no longer there', () => {
    const { followed, selected } = happen(following, { type: 'agents', agents: team.slice(1) }).state;
    expect([followed, selected]).toEqual([{ agent: 'bob', frame: undefined }, 'bob']);
    expect(happen(following, { type: 'agents', agents: [] }).state.followed).toBeUndefined();
  });
});
