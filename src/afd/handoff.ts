/**
 * HandoffResult: what a command answers that opens a connection of another protocol. The schema is the
 * stricter of AFD's two readings (its zod schema and its guard), so what passes here passes both.
 * spec/afd-handoff-schema, afd-handoff-conformance §2.
 */
import * as z from 'zod';
import { type Clock, systemClock } from '../base/clock.ts';

export const ReconnectPolicySchema = z.object({
  allowed: z.boolean(),
  /** Attempts that are left. */
  maxAttempts: z.number().optional(),
  backoffMs: z.number().optional(),
});

export const HandoffCredentialsSchema = z.object({
  /** Bearer token; travels in the first frame, never in `endpoint`. */
  token: z.string().optional(),
  headers: z.record(z.string(), z.string()).optional(),
  sessionId: z.string().optional(),
});

export const HandoffMetadataSchema = z.object({
  expectedLatency: z.number().optional(),
  /** What the channel can do. */
  capabilities: z.array(z.string()).optional(),
  /** End of the credentials, not of the session; UTC with `Z`. */
  expiresAt: z.iso.datetime().optional(),
  reconnect: ReconnectPolicySchema.optional(),
  description: z.string().optional(),
  /** From a reconnect command: where the stream goes on. */
  catchUp: z.object({ fromMessageId: z.string().optional() }).optional(),
});

/** Unknown keys are stripped, as AFD does. */
export const HandoffResultSchema = z.object({
  protocol: z.string().min(1),
  endpoint: z.url(),
  credentials: HandoffCredentialsSchema.optional(),
  metadata: HandoffMetadataSchema.optional(),
});

export type ReconnectPolicy = z.infer<typeof ReconnectPolicySchema>;
export type HandoffCredentials = z.infer<typeof HandoffCredentialsSchema>;
export type HandoffMetadata = z.infer<typeof HandoffMetadataSchema>;
export type HandoffResult = z.infer<typeof HandoffResultSchema>;

/** AFD's own default, for `metadata.reconnect: true`. */
export const DEFAULT_RECONNECT_POLICY: ReconnectPolicy = { allowed: true, maxAttempts: 3, backoffMs: 1000 };

export interface HandoffParts {
  credentials?: HandoffCredentials;
  metadata?: Omit<HandoffMetadata, 'reconnect'> & { reconnect?: ReconnectPolicy | true };
}

/** A HandoffResult from its parts; `reconnect: true` means AFD's default policy. */
export function createHandoff(protocol: string, endpoint: string, parts: HandoffParts = {}): HandoffResult {
  const handoff: HandoffResult = { protocol, endpoint };
  if (parts.credentials) handoff.credentials = parts.credentials;
  if (parts.metadata) {
    const { reconnect, ...rest } = parts.metadata;
    handoff.metadata = rest;
    if (reconnect) handoff.metadata.reconnect = reconnect === true ? DEFAULT_RECONNECT_POLICY : reconnect;
  }
  return handoff;
}

export const isHandoff = (value: unknown): value is HandoffResult =>
  HandoffResultSchema.safeParse(value).success;

export const isHandoffProtocol = (handoff: HandoffResult, protocol: string): boolean =>
  handoff.protocol === protocol;

export const isReconnectPolicy = (value: unknown): value is ReconnectPolicy =>
  ReconnectPolicySchema.safeParse(value).success;

/** Milliseconds until the credentials expire, 0 when they have; null when they never do. */
export function getHandoffTTL(
  handoff: HandoffResult,
  clock: Pick<Clock, 'now'> = systemClock,
): number | null {
  const expiresAt = handoff.metadata?.expiresAt;
  if (expiresAt === undefined) return null;
  return Math.max(0, Date.parse(expiresAt) - clock.now());
}

/** True once the credentials of the handoff are no longer good. */
export const isHandoffExpired = (handoff: HandoffResult, clock?: Pick<Clock, 'now'>): boolean =>
  getHandoffTTL(handoff, clock) === 0;
