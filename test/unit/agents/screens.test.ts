/** Claude Code 2.1.329 and Codex 0.169.0 as recorded: their states and input boxes at each moment. */
import { fileURLToPath } from 'node:url';
import xterm from '@xterm/headless';
import { describe, expect, it } from 'vitest';
import type { AgentState, InputBox, StateReader } from '../../../src/agents/adapter.ts';
import { claudeAsks, claudeInputBox, claudeTitle } from '../../../src/agents/claude-screen.ts';
import { codexAsks, codexInputBox, codexTitle } from '../../../src/agents/codex-screen.ts';
import { SignalState, type Signs } from '../../../src/agents/signal-state.ts';
import { silentLog } from '../../../src/base/log.ts';
import { readCast } from '../../../src/terminal/cast.ts';
import { viewOf } from '../../helpers/emulated-view.ts';

const CLAUDE: Signs = { title: claudeTitle, asks: claudeAsks, inputBox: claudeInputBox };
const CODEX: Signs = { title: codexTitle, asks: codexAsks, inputBox: codexInputBox };

/** Seconds of silence in a recording after which its screen counts as settled. */
const SETTLED_S = 0.1;

interface Moment {
  state: AgentState;
  box: InputBox | undefined;
  screen: string;
}

/** Plays a recording; what is seen whenever it has settled and before each key. */
async function play(name: string, signs: Signs): Promise<{ moments: Moment[]; state: StateReader }> {
  const file = fileURLToPath(new URL(`../../../fixtures/casts/${name}-80x24.cast`, import.meta.url));
  const { header, events } = await readCast(file);
  const terminal = new xterm.Terminal({
    cols: header.width,
    rows: header.height,
    allowProposedApi: true,
  });
  const state = new SignalState(signs, silentLog);
  const moments: Moment[] = [];
  const look = () => {
    const view = viewOf(terminal);
    state.screen(view);
    const box = signs.inputBox(view);
    moments.push({ state: state.state, box, screen: view.rows().join('\n') });
  };
  let last = 0;
  for await (const event of events) {
    if (event.time - last > SETTLED_S || event.kind === 'i') look();
    last = event.time;
    if (event.kind !== 'o') continue;
    state.output(Buffer.from(event.text), () => {});
    await new Promise<void>((resolve) => terminal.write(event.text, resolve));
  }
  look();
  return { moments, state };
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
