/** What `agent-wrap watch` knows and does, pure: what happens → the next state, and what the shell is to do. docs/people.md. */
import { BROADCAST } from '../protocol/address.ts';
import type { RelayEvent } from '../protocol/relay-event.ts';
import type { ScreenFrame } from '../protocol/screen-frame.ts';
import type { Key } from './keys.ts';

/** One agent, as relay-agents shows it. */
export interface WatchedAgent {
  name: string;
  state: string;
  status?: string | undefined;
  waitsFor?: string | undefined;
  speech?: string | undefined;
  /** The person has stopped its messages at the relay. */
  held?: boolean | undefined;
  queueDepth: number;
  inflight: number;
}

export interface WatchedMessage {
  id: string;
  at: number;
  from: string;
  to: string;
  topic?: string | undefined;
  size: number;
  body?: string | undefined;
  /** Recipient → where it stands with it. */
  fates: ReadonlyMap<string, { fate: string; code?: string | undefined }>;
}

/** An agent's screen that is looked at. */
export interface Followed {
  agent: string;
  /** What its wrapper shows; undefined: nothing (yet). */
  frame: ScreenFrame | undefined;
}

export interface WatchState {
  namespace: string;
  connection: 'looking' | 'connected';
  agents: readonly WatchedAgent[];
  /** The chosen agent; it stays chosen while others come and go. */
  selected: string | undefined;
  /** The chosen agent's screen in place of the messages. The shell sees to its frames. */
  followed: Followed | undefined;
  /** Oldest first. */
  messages: readonly WatchedMessage[];
  /** Messages that are no longer shown, or were missed because the daemon had to leave events out. */
  forgotten: number;
  gaps: number;
  /** What is being written, and to whom. */
  draft: { to: string; text: string } | undefined;
  /** What the last action came to. */
  notice: string | undefined;
}

/** Messages kept to look at: more than any screen shows. */
const MAX_MESSAGES = 500;
/** Characters of a line that one types. Longer texts: agent-wrap send, from stdin. */
export const MAX_DRAFT = 4000;

export type Happening =
  | { type: 'agents'; agents: readonly WatchedAgent[] }
  /** Nobody hosts the relay. */
  | { type: 'unreachable' }
  | { type: 'event'; event: RelayEvent | { type: 'gap' } }
  | { type: 'body'; id: string; body: string }
  | { type: 'screen'; agent: string; frame: ScreenFrame | undefined }
  | { type: 'notice'; text: string }
  | { type: 'key'; key: Key };

/** What the shell does. */
export type Action =
  | { type: 'quit' }
  | { type: 'suspend' }
  | { type: 'redraw' }
  | { type: 'hold' | 'release'; agent: string }
  | { type: 'send'; to: string; body: string };

export const initialState = (namespace: string): WatchState => ({
  namespace,
  connection: 'looking',
  agents: [],
  selected: undefined,
  followed: undefined,
  messages: [],
  forgotten: 0,
  gaps: 0,
  draft: undefined,
  notice: undefined,
});

export function happen(state: WatchState, happening: Happening): { state: WatchState; action?: Action } {
  switch (happening.type) {
    case 'agents': {
      const { agents } = happening;
      const stays = agents.some(({ name }) => name === state.selected);
      const selected = stays ? state.selected : agents[0]?.name;
      return { state: { ...chosen(state, selected), connection: 'connected', agents } };
    }
    case 'unreachable':
      return { state: { ...state, connection: 'looking', agents: [] } };
    case 'event':
      return { state: seen(state, happening.event) };
    case 'body':
      return { state: changed(state, happening.id, (message) => ({ ...message, body: happening.body })) };
    case 'screen': {
      const { agent, frame } = happening;
      return { state: state.followed?.agent === agent ? { ...state, followed: { agent, frame } } : state };
    }
    case 'notice':
      return { state: { ...state, notice: happening.text } };
    case 'key':
      return state.draft === undefined
        ? choose(state, happening.key)
        : write(state, state.draft, happening.key);
  }
}

function seen(state: WatchState, event: RelayEvent | { type: 'gap' }): WatchState {
  switch (event.type) {
    case 'gap':
      return { ...state, gaps: state.gaps + 1 };
    case 'session':
      return state; // The list of agents says it.
    case 'message': {
      const { id, at, from, to, topic, size } = event;
      const messages = [...state.messages, { id, at, from, to, topic, size, fates: new Map() }];
      const forgotten = state.forgotten + Math.max(0, messages.length - MAX_MESSAGES);
      return { ...state, messages: messages.slice(-MAX_MESSAGES), forgotten };
    }
    case 'fate': {
      const { id, to, fate, code } = event;
      return changed(state, id, (message) => ({
        ...message,
        fates: new Map(message.fates).set(to, { fate, code }),
      }));
    }
  }
}

function changed(
  state: WatchState,
  id: string,
  change: (message: WatchedMessage) => WatchedMessage,
): WatchState {
  const messages = state.messages.map((message) => (message.id === id ? change(message) : message));
  return { ...state, messages };
}

function choose(before: WatchState, key: Key): { state: WatchState; action?: Action } {
  const state = { ...before, notice: undefined };
  const { selected: agent } = state;
  const to = (action: (agent: string) => Action | undefined) => {
    const chosen = agent === undefined ? undefined : action(agent);
    return chosen === undefined ? { state } : { state, action: chosen };
  };
  if (key.name === 'character') {
    switch (key.text) {
      case 'q':
        return { state, action: { type: 'quit' } };
      case 'j':
        return { state: moved(state, 1) };
      case 'k':
        return { state: moved(state, -1) };
      case 'h':
        return to((name) => ({ type: 'hold', agent: name }));
      case 'r':
        return to((name) => ({ type: 'release', agent: name }));
      case 'f':
        return { state: { ...state, followed: state.followed === undefined ? begun(agent) : undefined } };
      case 's':
        return { state: agent === undefined ? state : { ...state, draft: { to: agent, text: '' } } };
      case 'b':
        return { state: { ...state, draft: { to: BROADCAST, text: '' } } };
    }
    return { state };
  }
  if (key.name === 'up' || key.name === 'down') return { state: moved(state, key.name === 'up' ? -1 : 1) };
  if (key.name === 'enter')
    return { state: agent === undefined ? state : { ...state, draft: { to: agent, text: '' } } };
  if (key.name === 'escape') return { state: { ...state, followed: undefined } };
  return { state, ...ofTheTerminal(key) };
}

const begun = (agent: string | undefined): Followed | undefined =>
  agent === undefined ? undefined : { agent, frame: undefined };

function write(
  before: WatchState,
  draft: { to: string; text: string },
  key: Key,
): { state: WatchState; action?: Action } {
  const state = { ...before, notice: undefined };
  switch (key.name) {
    case 'character': {
      const text = draft.text + key.text;
      if (text.length <= MAX_DRAFT) return { state: { ...state, draft: { ...draft, text } } };
      const notice = `a line here has at most ${MAX_DRAFT} characters; longer: agent-wrap send ${draft.to} < file`;
      return { state: { ...state, notice } };
    }
    case 'backspace': {
      const parts = [...new Intl.Segmenter().segment(draft.text)].slice(0, -1);
      const text = parts.map(({ segment }) => segment).join('');
      return { state: { ...state, draft: { ...draft, text } } };
    }
    case 'clear':
      return { state: { ...state, draft: { ...draft, text: '' } } };
    case 'escape':
      return { state: { ...state, draft: undefined } };
    case 'enter': {
      const written = { ...state, draft: undefined };
      if (draft.text.trim() === '') return { state: written };
      return { state: written, action: { type: 'send', to: draft.to, body: draft.text } };
    }
    case 'interrupt':
      return { state: { ...state, draft: undefined } };
    default:
      return { state, ...ofTheTerminal(key) };
  }
}

function ofTheTerminal(key: Key): { action?: Action } {
  if (key.name === 'interrupt') return { action: { type: 'quit' } };
  if (key.name === 'suspend') return { action: { type: 'suspend' } };
  return key.name === 'redraw' ? { action: { type: 'redraw' } } : {};
}

function moved(state: WatchState, by: number): WatchState {
  const at = state.agents.findIndex(({ name }) => name === state.selected);
  const next = state.agents[Math.min(Math.max(at + by, 0), state.agents.length - 1)];
  return chosen(state, next?.name);
}

/** Chooses an agent; the screen that is looked at is the chosen one's. */
function chosen(state: WatchState, selected: string | undefined): WatchState {
  if (state.followed === undefined || state.followed.agent === selected) return { ...state, selected };
  return { ...state, selected, followed: begun(selected) };
}
