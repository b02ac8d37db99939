/**
 * Any other program: started as it is, its screen is its speech, and whether it is ready is what the
 * injector makes of a quiet screen. real-agents.md §6.
 */
import type { Adapter, StateReader } from './adapter.ts';

/** A program whose signals we do not know: `unknown`, always. */
export const UNKNOWN_STATE: StateReader = {
  state: 'unknown',
  output() {},
  screen() {},
  onChange() {},
};

export const generic: Adapter = {
  profile: 'generic',
  sources: [],
  prepare: async (context) => ({
    args: context.args,
    env: {},
    speech: [],
    state: UNKNOWN_STATE,
    inputBox: () => undefined,
    typeWhileBusy: false,
    native: undefined,
    briefByMessage: context.briefing !== undefined,
    close: async () => {},
  }),
};
