/** The envelope of every answer of a command: AFD's CommandResult. spec/afd-handoff-conformance §2. */
import { ERRORS, isErrorCode, type RelayError } from '../base/errors.ts';
import { redact } from '../base/log.ts';

export interface CommandError {
  /** SCREAMING_SNAKE. */
  code: string;
  message: string;
  /** The way out; never empty in what we make. */
  suggestion: string;
  /** The same call may succeed later, unchanged. */
  retryable: boolean;
  details?: Record<string, unknown>;
}

export interface Warning {
  code: string;
  message: string;
  severity?: 'info' | 'warning' | 'caution';
  details?: Record<string, unknown>;
}

/** Advice for the agent that reads the answer (`consumable`, `fallbackCommand`, `pollInterval`, …). */
export type AgentHints = Record<string, unknown>;

export interface ResultMetadata {
  executionTimeMs?: number;
  commandVersion?: string;
  traceId?: string;
  /** ISO 8601. */
  timestamp?: string;
  agentHints?: AgentHints;
  [key: string]: unknown;
}

/** What both outcomes may carry. */
export interface ResultOptions {
  reasoning?: string;
  suggestions?: string[];
  warnings?: Warning[];
  metadata?: ResultMetadata;
}

interface Envelope extends ResultOptions {
  /** The same object as `metadata.agentHints`: the handoff spec looks here, AFD's types there. */
  _agentHints?: AgentHints;
}

export interface CommandSuccess<T = unknown> extends Envelope {
  success: true;
  data: T;
  error?: never;
  /** 0..1. */
  confidence?: number;
}

export interface CommandFailure extends Envelope {
  success: false;
  error: CommandError;
  data?: never;
}

export type CommandResult<T = unknown> = CommandSuccess<T> | CommandFailure;

/** A success with `data`. */
export function success<T>(
  data: T,
  options: ResultOptions & { confidence?: number } = {},
): CommandSuccess<T> {
  return mirrorHints({ success: true, data, ...options });
}

type ErrorParts = Pick<CommandError, 'code' | 'message'> & Partial<CommandError>;

/**
 * A failure. Without `suggestion` or `retryable` those of the code in src/base/errors.ts are taken.
 * Tokens are taken out of its words and details: errors are printed, logged and passed on.
 */
export function failure(parts: ErrorParts, options: ResultOptions = {}): CommandFailure {
  const known = isErrorCode(parts.code) ? ERRORS[parts.code] : undefined;
  const error: CommandError = {
    code: parts.code,
    message: redact(parts.message),
    suggestion: redact(parts.suggestion || known?.suggestion || 'see the description of the command'),
    retryable: parts.retryable ?? known?.retryable ?? false,
    ...(parts.details === undefined ? {} : { details: withoutTokens(parts.details) }),
  };
  return mirrorHints({ success: false, error, ...options });
}

/** Short for `failure({ code, message, … })`. */
export function error(
  code: string,
  message: string,
  parts: { suggestion?: string; retryable?: boolean; details?: Record<string, unknown> } = {},
): CommandFailure {
  return failure({ code, message, ...parts });
}

/** The failure that tells of a thrown RelayError. */
export const failureFrom = ({ code, message, suggestion, retryable, details }: RelayError): CommandFailure =>
  failure({ code, message, suggestion, retryable, ...(details === undefined ? {} : { details }) });

function withoutTokens(details: Record<string, unknown>): Record<string, unknown> {
  try {
    return JSON.parse(redact(JSON.stringify(details)));
  } catch {
    return { unprintable: true };
  }
}

export const isSuccess = <T>(result: CommandResult<T>): result is CommandSuccess<T> =>
  result.success === true && result.data !== undefined;

export const isFailure = (result: CommandResult): result is CommandFailure =>
  result.success === false && result.error !== undefined;

/** The same result with `hints` in both places where clients look for them (checklist 28). */
export function withAgentHints<R extends CommandResult>(result: R, hints: AgentHints): R {
  return { ...result, metadata: { ...result.metadata, agentHints: hints }, _agentHints: hints };
}

function mirrorHints<R extends CommandResult>(result: R): R {
  const hints = result.metadata?.agentHints;
  return hints === undefined ? result : withAgentHints(result, hints);
}
