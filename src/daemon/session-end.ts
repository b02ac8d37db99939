/** When a session's time is up, by where it stands. docs/protocol.md §4 (P9, P10). Pure. */
import type { Session } from './session-table.ts';
import type { DaemonSettings } from './settings.ts';

/** Milliseconds a closed or expired session is still known, so that its owner learns what became of it. */
const FINAL_SESSION_MS = 60 * 60_000;

/** Wall clock, ms; undefined: it lasts as long as its connection. */
export function endOf(session: Session, settings: DaemonSettings): number | undefined {
  switch (session.state) {
    case 'pending':
      return session.handoff?.until ?? session.createdAt + settings.handoffTtlMs;
    case 'active':
      return endOfActive(session, settings);
    case 'disconnected': {
      const end = (session.disconnectedAt ?? 0) + settings.reconnectWindowMs;
      return session.handoff && !session.handoff.used ? Math.max(end, session.handoff.until) : end;
    }
    default:
      return (session.closedAt ?? 0) + FINAL_SESSION_MS;
  }
}

/** idleTimeout and maxSessionDuration, where they are switched on. */
function endOfActive(
  { createdAt, lastActivity }: Session,
  { idleTimeoutMs, maxSessionMs }: DaemonSettings,
): number | undefined {
  const ends = [
    ...(idleTimeoutMs > 0 ? [lastActivity + idleTimeoutMs] : []),
    ...(maxSessionMs > 0 ? [createdAt + maxSessionMs] : []),
  ];
  return ends.length === 0 ? undefined : Math.min(...ends);
}
