/** WELCOME: what a client is told of its session and of this daemon. docs/protocol.md §4 (P7, P8, P23). */
import { type EnvelopeOf, newEnvelope } from '../protocol/envelope.ts';
import type { Relay } from './relay.ts';
import type { Admission } from './sessions.ts';

export function welcomeOf(relay: Relay, { session, resumeToken }: Admission): EnvelopeOf<'WELCOME'> {
  const { clock, epoch, version, journal, settings, state } = relay;
  const { dedupSince } = state.messages;
  return newEnvelope(
    'WELCOME',
    {
      session_id: session.id,
      resume_token: resumeToken,
      ...(session.injects && state.findMailbox(session.name)?.standstill ? { held: true } : {}),
      server: {
        max_frame_bytes: settings.maxFrameBytes,
        heartbeat_ms: settings.heartbeatMs,
        epoch,
        version,
        store_format: journal.format,
        ...(journal.durable ? { dedup_since: dedupSince } : {}),
        capabilities: { cumulative_ack: true, ack_lists: true },
      },
    },
    clock.now(),
  );
}
