/** What a command knows of the call it serves. Conformance §2 "ctx". */
import type { Clock } from '../base/clock.ts';

/** The way in by which a call came. Hosts may add their own. */
export type CommandInterface = 'wrapper' | 'cli' | 'mcp' | 'rpc' | (string & {});

export interface CommandContext {
  /** The caller's own id for this call, or one we made. */
  readonly traceId: string;
  /** Aborted when the caller no longer wants the answer. */
  readonly signal: AbortSignal;
  readonly interface: CommandInterface;
  /** Who calls, as the host of the registry knows it; never taken from the input. */
  readonly caller: Readonly<Record<string, unknown>>;
  readonly clock: Clock;
  /** What the handler wants the audit log to say of this call: ids, never secrets. */
  readonly facts: Record<string, unknown>;
}

/** What a host passes in; the registry fills in the rest. */
export type CallOptions = Partial<Pick<CommandContext, 'traceId' | 'signal' | 'interface' | 'caller'>>;
