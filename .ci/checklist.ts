/** The points of the AFD handoff checklist in short, in their order, each with what we chose. */
export const CHECKLIST: readonly (readonly [what: string, remark: string])[] = [
  [
    'the commands exist, under kebab-case names',
    'dotted and underscored names are taken as aliases, never emitted',
  ],
  [
    'connect and reconnect are declared as handoffs',
    'protocol `agent-relay`, its tag before all other `handoff:…` tags',
  ],
  ['tags and mutation of the others', ''],
  ['description, category, schemas, errors', 'no finding at all, warnings included'],
  ['listing by tag', 'by all, any, exclusion, and by the protocols an agent can consume'],
  ['a success', 'reasoning is never empty'],
  ['a failure', 'suggestion and retryable are always there'],
  ['metadata', 'trace ids are cut to 128 printable characters'],
  ['invalid input', 'unknown keys are accepted and dropped'],
  ['unknown command, throwing handler', ''],
  ['the CLI', 'prints the envelope; exit 2 only for options that do not exist'],
  [
    'the wrapper as caller',
    'a bare HandoffResult is refused; the agent starts without the relay, which is tried again',
  ],
  ['HandoffResult passes schema and guard', 'extra keys are stripped, as AFD does'],
  ['token and session id', '256 and 128 random bits; stored hashed'],
  ['expiry of the credentials', 'default 5 minutes, at most 15'],
  ['reconnect policy and capabilities', ''],
  [
    'the token on the wire',
    'in `session.resume_token` of HELLO; a HELLO without any token opens a session of its own where the name is free (P7: clients of the 1.0 spec have none)',
  ],
  ['states', 'status changes nothing, last activity included'],
  [
    'timeouts',
    'idleTimeout and maxSessionDuration are off unless switched on: an agent may be silent overnight; heartbeats are no activity',
  ],
  ['reconnect', 'SESSION_EXPIRED for expired sessions'],
  ['proof', 'same uid and the session id, which only its owner is shown; a foreign token: FORBIDDEN'],
  [
    'catch-up',
    'all that is unacknowledged is replayed, whatever the position (P8): a repeat is possible, a loss is not; an unknown position: STALE',
  ],
  ['disconnect', 'flat answer; a second call answers the same'],
  ['one live connection a session', '`ERROR SESSION_TAKEN_OVER`, BYE; the client side sees 4004'],
  ['rotation', '`relay-refresh-token`, `relay-reconnect`, and a fresh resume token with each WELCOME'],
  [
    'rate limit',
    '10 a minute and agent; free: a call with the token of the session (P21), and a connect that was refused',
  ],
  ['audit', '`audit.log` in the relay’s directory, 0600: connect, reconnect, refresh, disconnect'],
  ['hints for agents', 'in `metadata.agentHints` and `_agentHints`, never in data'],
  ['polling', 'pages are claimed and confirmed by the next `since` (P27); an unknown `since`: STALE'],
  ['conversing without a socket', 'while a wrapper is connected, a poll sees only what it gave back'],
];
