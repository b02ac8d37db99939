/** Claude Code 2.1.329 and Codex 0.169.0 as recorded: their states and input boxes at each moment. */
import { describe, expect, it } from 'vitest';
import type { StateReader } from '../../../src/agents/adapter.ts';
import { claudeAsks, claudeInputBox, claudeTitle } from '../../../src/agents/claude-screen.ts';
import { codexAsks, codexInputBox, codexTitle } from '../../../src/agents/codex-screen.ts';
import { SignalState, type Signs } from '../../../src/agents/signal-state.ts';
import { silentLog } from '../../../src/base/log.ts';
import { type Moment, playCast } from '../../helpers/play-cast.ts';

const CLAUDE: Signs = { title: claudeTitle, asks: claudeAsks, inputBox: claudeInputBox };
const CODEX: Signs = { title: codexTitle, asks: codexAsks, inputBox: codexInputBox };

/** Plays a recording; what is seen whenever it has settled and before each key. */
async function play(name: string, signs: Signs): Promise<{ moments: Moment[]; state: StateReader }> {
  const state = new SignalState(signs, silentLog);
  return { moments: await playCast(`${name}-80x24`, state, signs.inputBox), state };
}

/** The different things seen, in order. */
const changes = <T>(values: T[]): T[] =>
  values.filter((value, i) => JSON.stringify(value) !== JSON.stringify(values[i - 1]));

const boxes = (moments: Moment[]) =>
  changes(moments.map(({ box }) => (box?.mode === 'prompt' ? box.text : (box?.mode ?? 'none'))));

describe.each([
  ['claude', CLAUDE],
  ['codex', CODEX],
] as const)('%s as recorded', (agent, signs) => {
  it('is ready with an empty box when it has started', async () => {
    const { moments, state } = await play(`${agent}-startup`, signs);
    expect(state.state).toBe('ready');
    expect(moments.at(-1)?.box).toEqual({ text: '', mode: 'prompt' });
  });

  it('has a draft in its box while somebody types', async () => {
    const { moments } = await play(`${agent}-half-typed`, signs);
    expect(boxes(moments).some((text) => text.startsWith('half typed by the user'))).toBe(true);
  });

  it('works and is ready again when a message is injected while it answers', async () => {
    const { moments, state } = await play(`${agent}-inject-busy`, signs);
    expect(changes(moments.map((moment) => moment.state))).toEqual(expect.arrayContaining(['busy', 'ready']));
    expect(state.state).toBe('ready');
  });

  it('asks: no empty prompt is seen on any screen with the question on it', async () => {
    const { moments } = await play(`${agent}-dialog`, signs);
    const asking = moments.filter(({ screen }) =>
      /(Do you want to proceed\?|Would you like to run)[\s\S]*(❯|›) 1\. Yes/.test(screen),
    );
    expect(asking.length).toBeGreaterThan(0);
    for (const { state, box } of asking) {
      expect(box?.mode === 'prompt').toBe(false);
      expect(state).toBe('dialog');
    }
  });
});
