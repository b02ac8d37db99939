/** The session that the token of a HELLO proves. docs/protocol.md §4 (P7). */
import { type ErrorCode, RelayError } from '../base/errors.ts';
import type { Payload } from '../protocol/payloads.ts';
import type { Relay } from './relay.ts';
import { isLive, type Session } from './session-table.ts';
import { hashToken, tokenKind } from './tokens.ts';

export interface Proof {
  session?: Session;
  /** The hash of the handoff token, if it was one. */
  handoff?: string;
  /** The hash of the resume token, if it is one that is good. */
  resumed?: string;
  /** The resume token was unknown: it is to be a new session. */
  notice?: RelayError;
}

/** A handoff token must be right, a resume token may be unknown. Throws TOKEN_UNKNOWN, _FOREIGN, _USED, _EXPIRED. */
export function proofOf({ state, clock }: Relay, { agent, session: proof }: Payload<'HELLO'>): Proof {
  const token = proof?.resume_token;
  if (token === undefined) return {};
  const hash = hashToken(token);
  const session = state.sessions.byToken(hash);
  if (tokenKind(token) === 'ah') {
    return { session: byHandoff(session, hash, agent, clock.now()), handoff: hash };
  }
  if (session && isLive(session) && session.resume.includes(hash)) {
    if (session.name !== agent) refuse('TOKEN_FOREIGN', `the token is not one of ${JSON.stringify(agent)}`);
    return { session, resumed: hash };
  }
  return {
    notice: new RelayError('RESUME_TOO_OLD', 'the resume token is unknown here; this is a new session'),
  };
}

function byHandoff(session: Session | undefined, hash: string, agent: string, now: number): Session {
  const handoff = session?.handoff;
  if (session === undefined || handoff === undefined) {
    throw new RelayError('TOKEN_UNKNOWN', 'the handoff token is not one of ours');
  }
  if (session.name !== agent) refuse('TOKEN_FOREIGN', `the token is not one of ${JSON.stringify(agent)}`);
  if (handoff.hash !== hash) refuse('TOKEN_USED', 'a newer token replaced this one');
  if (handoff.used) refuse('TOKEN_USED', 'the handoff token was used before');
  if (handoff.until <= now) refuse('TOKEN_EXPIRED', 'the handoff token is too old');
  if (!isLive(session)) refuse('TOKEN_EXPIRED', `the session is ${session.state}`);
  return session;
}

const refuse = (code: ErrorCode, message: string): never => {
  throw new RelayError(code, message);
};
