/** Who calls a command: an agent by one of its tokens, or the person (P10, P22). docs/protocol.md §Callers. */
import { RelayError } from '../base/errors.ts';
import { USER_NAME } from '../protocol/address.ts';
import type { Relay } from './relay.ts';
import { isLive, type Session } from './session-table.ts';
import { hashToken, tokenKind } from './tokens.ts';

export type Caller =
  /** No token: the CLI outside an agent. */
  | { kind: 'user'; name: typeof USER_NAME }
  /** The agent's own children, by its scoped token. */
  | { kind: 'child'; name: string; session: Session }
  /** The session itself, by its handoff or resume token. */
  | { kind: 'session'; name: string; session: Session };

/** What a scoped token allows (P10), and looking at the commands, which anybody may. */
const CHILD_COMMANDS: ReadonlySet<string> = new Set([
  'relay-send',
  'relay-poll',
  'relay-agents',
  'relay-status',
  'relay-help',
]);

/** P10: an agent's children converse in its name; they do not dispose of its session. */
export const mayCall = (caller: Caller, command: string): boolean =>
  caller.kind !== 'child' || CHILD_COMMANDS.has(command);

/** The caller of a token. Throws TOKEN_UNKNOWN, TOKEN_USED, TOKEN_EXPIRED, SESSION_DISCONNECTED. */
export function identify(relay: Relay, token: string | undefined): Caller {
  if (token === undefined) return { kind: 'user', name: USER_NAME };
  const hash = hashToken(token);
  const session = relay.state.sessions.byToken(hash);
  if (session === undefined || !isLive(session)) {
    throw new RelayError('TOKEN_UNKNOWN', 'the token is not one of a living session');
  }
  const { name } = session;
  if (tokenKind(token) === 'as') {
    if (session.state !== 'active') throw new RelayError('SESSION_DISCONNECTED', `${name} is not connected`);
    return { kind: 'child', name, session };
  }
  if (tokenKind(token) === 'ah') {
    if (session.handoff?.hash !== hash) throw new RelayError('TOKEN_USED', 'a newer token replaced this one');
    if (session.handoff.until <= relay.clock.now()) {
      throw new RelayError('TOKEN_EXPIRED', 'the handoff token is too old');
    }
  } else if (!session.resume.includes(hash)) {
    throw new RelayError('TOKEN_USED', 'a newer token replaced this one');
  }
  return { kind: 'session', name, session };
}

/**
 * The caller, checked against the name it gives itself: a call that names an agent without a token is
 * never taken for the person. Throws TOKEN_REQUIRED, FORBIDDEN.
 */
export function callerAs(caller: Caller, name: string | undefined): Caller {
  if (name === undefined || name === caller.name) return caller;
  if (caller.kind === 'user') throw new RelayError('TOKEN_REQUIRED', `speaking as ${name} needs its token`);
  throw new RelayError('FORBIDDEN', `the token is ${caller.name}'s, not ${name}'s`);
}

/**
 * The session of an id, for those who may act on it: whoever knows the id (only connect and WELCOME show
 * it), but not with the token of another. Throws SESSION_NOT_FOUND, FORBIDDEN.
 */
export function sessionFor(relay: Relay, caller: Caller, id: string): Session {
  const session = relay.state.sessions.get(id);
  if (session === undefined) throw new RelayError('SESSION_NOT_FOUND', 'no session has this id');
  if (caller.kind !== 'user' && caller.session !== session) {
    throw new RelayError('FORBIDDEN', `the token is another session's`);
  }
  return session;
}
