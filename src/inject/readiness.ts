/** May we type now? The rule of the gate. real-agents.md §6. */
import type { AgentState, InputBox } from '../agents/adapter.ts';

/** Why we wait. `draft`, `typing` and `held` are the person's; the rest is the agent's or the relay's. */
export type Obstacle =
  | 'relay-away'
  | 'held'
  | 'typing'
  | 'draft'
  | 'starting'
  | 'dialog'
  | 'busy'
  | 'other-view'
  | 'no-box'
  | 'printing'
  | 'no-echo'
  /** With `--inject native`: the agent's own channel does not work now. */
  | 'no-channel';

/** What the gate looks at. Times are milliseconds on the monotonic clock. */
export interface Surroundings {
  now: number;
  state: AgentState;
  /** The input box on the screen; `unknown`: this agent's box is not one we can find. */
  box: InputBox | 'unknown' | 'missing';
  /** The person's keys since the last submit key, where the box cannot tell. */
  keysSinceSubmit: number;
  lastKeyAt: number;
  lastOutputAt: number;
  held: boolean;
  relayReady: boolean;
  typeWhileBusy: boolean;
}

/** The person's pause after which we may type, milliseconds. */
export const PERSON_QUIET_MS = 2_000;

/** Silence after which an agent without signals of its own is taken to wait for input, milliseconds. */
export const OUTPUT_QUIET_MS = 400;

/** The first thing in the way, or undefined: type. */
export function obstacle(s: Surroundings): Obstacle | undefined {
  if (!s.relayReady) return 'relay-away';
  if (s.held) return 'held';
  if (s.state === 'starting') return 'starting';
  if (s.state === 'dialog') return 'dialog';
  if (s.state === 'busy' && !s.typeWhileBusy) return 'busy';
  if (s.now - s.lastKeyAt < PERSON_QUIET_MS) return 'typing';
  if (s.box === 'missing') return 'no-box';
  if (s.box !== 'unknown') {
    if (s.box.mode === 'other') return 'other-view';
    if (s.box.text !== '') return 'draft';
  } else if (s.keysSinceSubmit > 0) {
    return 'draft';
  }
  if (s.state === 'unknown' && s.now - s.lastOutputAt < OUTPUT_QUIET_MS) return 'printing';
  return undefined;
}
