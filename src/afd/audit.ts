/** Middleware: one record for each call, with ids and never a token. Checklist 27. */
import { redact } from '../base/log.ts';
import type { CommandContext } from './context.ts';
import type { Middleware } from './middleware.ts';

export interface AuditEvent {
  /** ISO 8601. */
  ts: string;
  command: string;
  traceId: string;
  interface: string;
  success: boolean;
  /** Of the failure. */
  code?: string;
  /** What the handler left in `ctx.facts`: tokenId, sessionId, … */
  [fact: string]: unknown;
}

export interface Audit {
  sink(event: AuditEvent): void;
  /** Which calls are recorded. Default: all. */
  only?(name: string, ctx: CommandContext): boolean;
}

/** Records the call once its outcome is known. A fact cannot overwrite what we know ourselves. */
export function audit({ sink, only }: Audit): Middleware {
  return async (name, _input, ctx, next) => {
    const result = await next();
    if (only && !only(name, ctx)) return result;
    const event: AuditEvent = {
      ...ctx.facts,
      ts: new Date(ctx.clock.now()).toISOString(),
      command: name,
      traceId: ctx.traceId,
      interface: ctx.interface,
      success: result.success,
      ...(result.success ? {} : { code: result.error.code }),
    };
    sink(JSON.parse(redact(JSON.stringify(event))));
    return result;
  };
}
