/** Plays a recording of an agent to its adapter's state and input box: what is seen whenever it has settled. */
import { fileURLToPath } from 'node:url';
import xterm from '@xterm/headless';
import type { AgentState, InputBox, ScreenView, StateReader } from '../../src/agents/adapter.ts';
import { readCast } from '../../src/terminal/cast.ts';
import { viewOf } from './emulated-view.ts';

/** Seconds of silence in a recording after which its screen counts as settled. */
const SETTLED_S = 0.1;

export interface Moment {
  state: AgentState;
  box: InputBox | undefined;
  screen: string;
}

/** `name`: a file in fixtures/casts, without its ending. */
export async function playCast(
  name: string,
  state: StateReader,
  inputBox: (view: ScreenView) => InputBox | undefined,
): Promise<Moment[]> {
  const file = fileURLToPath(new URL(`../../fixtures/casts/${name}.cast`, import.meta.url));
  const { header, events } = await readCast(file);
  const terminal = new xterm.Terminal({ cols: header.width, rows: header.height, allowProposedApi: true });
  const moments: Moment[] = [];
  const look = () => {
    const view = viewOf(terminal);
    state.screen(view);
    moments.push({ state: state.state, box: inputBox(view), screen: view.rows().join('\n') });
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
  return moments;
}
