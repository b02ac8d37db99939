/**
 * OSC 7501, the Program Status Protocol: `state=working:app=codex`. Codex reports unasked; Claude Code once
 * its query `ESC ] 7501 ; ? BEL` was answered. real-agents.md §4.
 */
import type { AgentState } from './adapter.ts';
import type { Osc } from './osc.ts';

export const STATUS_CODE = 7501;

/** What a terminal that understands the protocol answers to the query. */
export const STATUS_ANSWER = Buffer.from('\x1b]7501;?\x1b\\');

const STATES: Record<string, AgentState> = {
  idle: 'ready',
  done: 'ready',
  working: 'busy',
  blocked: 'dialog',
};

/** `query`, the state it reports, or undefined if it is something else. */
export function parseStatus(osc: Osc): AgentState | 'query' | undefined {
  if (osc.code !== STATUS_CODE) return undefined;
  if (osc.data === '?') return 'query';
  const state = /(?:^|:)state=([a-z]+)/.exec(osc.data)?.[1];
  return state !== undefined && Object.hasOwn(STATES, state) ? STATES[state] : undefined;
}
