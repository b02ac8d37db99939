/** The registry of one daemon: its commands, and what surrounds each call. docs/commands.md (P21, P22). */
import { audit } from '../../afd/audit.ts';
import type { DeclaredCommand } from '../../afd/command.ts';
import type { Middleware } from '../../afd/middleware.ts';
import { rateLimit } from '../../afd/rate-limit.ts';
import { CommandRegistry } from '../../afd/registry.ts';
import { error, isSuccess } from '../../afd/result.ts';
import { type Caller, mayCall } from '../caller.ts';
import type { Relay } from '../relay.ts';
import { relayAgents } from './relay-agents.ts';
import { relayConnect } from './relay-connect.ts';
import { relayDeadLetters, relayDrop, relayRedeliver } from './relay-dead-letters.ts';
import { relayDisconnect } from './relay-disconnect.ts';
import { relayHelp } from './relay-help.ts';
import { relayHold, relayRelease } from './relay-hold.ts';
import { relayLog } from './relay-log.ts';
import { relayPoll } from './relay-poll.ts';
import { relayReconnect } from './relay-reconnect.ts';
import { relayRefreshToken } from './relay-refresh-token.ts';
import { relayReport } from './relay-report.ts';
import { relaySend } from './relay-send.ts';
import { relayStatus } from './relay-status.ts';
import { relaySubscribe, relayUnsubscribe } from './relay-subscribe.ts';

const MINUTE_MS = 60_000;

/** What the audit log records: who got, changed and lost the right to speak as whom. Messages are in the store. */
const AUDITED: ReadonlySet<string> = new Set([
  'relay-connect',
  'relay-reconnect',
  'relay-refresh-token',
  'relay-disconnect',
]);

export function relayCommands(relay: Relay): CommandRegistry {
  const registry: CommandRegistry = new CommandRegistry({
    clock: relay.clock,
    log: relay.log,
    middleware: [
      audit({
        sink: (event) => relay.audit(event),
        only: (name) => AUDITED.has(name),
      }),
      scope,
      fenced(relay),
      rateLimit({
        limit: relay.settings.handoffsPerMinute,
        windowMs: MINUTE_MS,
        keyOf: (name, input, ctx) => handoffKey(relay, name, input, ctx.caller as Caller),
        // A connect that was refused gave nothing away, and guesses nothing: else who waits for a name that is
        // taken would be locked out of it once it is free. A reconnect may guess a session's id.
        counts: (name, { success }) => success || name !== 'relay-connect',
      }),
    ],
  });
  return registerAll(registry, relay);
}

/** The commands as they are described to people and clients; nobody can call them here. */
export function declaredCommands(): DeclaredCommand[] {
  // Only handlers look at the relay, and these are never run.
  return registerAll(new CommandRegistry(), undefined as unknown as Relay).list();
}

function registerAll(registry: CommandRegistry, relay: Relay): CommandRegistry {
  return registry.register(
    relayConnect(relay),
    relayStatus(relay),
    relayDisconnect(relay),
    relayReconnect(relay),
    relayRefreshToken(relay),
    relaySend(relay),
    relayPoll(relay),
    relayAgents(relay),
    relayReport(relay),
    relaySubscribe(relay),
    relayUnsubscribe(relay),
    relayLog(relay),
    relayDeadLetters(relay),
    relayRedeliver(relay),
    relayDrop(relay),
    relayHold(relay),
    relayRelease(relay),
    relayHelp(registry),
  );
}

/** P10: what a scoped token is not for is refused, whatever the input. */
const scope: Middleware = async (name, _input, ctx, next) => {
  if (mayCall(ctx.caller as Caller, name)) return next();
  return error('FORBIDDEN', `the agent's own children may not call ${name}`);
};

/**
 * P20: no answer from behind the fence. One that no record of its own has brought here may come from a daemon
 * that was asleep, and knows nothing of what its successor holds, has handed out or was told.
 */
const fenced =
  ({ journal }: Relay): Middleware =>
  async (_name, _input, _ctx, next) => {
    const result = await next();
    if (!isSuccess(result)) return result;
    const deposed = () => error('DEPOSED', 'another daemon leads this relay now', { retryable: true });
    return new Promise((resolve) =>
      journal.behindFence(
        () => resolve(result),
        () => resolve(deposed()),
      ),
    );
  };

/** Whose budget of handoffs a call uses up; one that carries the session's own token uses none (P21). */
function handoffKey(relay: Relay, name: string, input: unknown, caller: Caller): string | undefined {
  if (name !== 'relay-connect' && name !== 'relay-reconnect') return undefined;
  if (caller.kind === 'session') return undefined;
  const { agent, sessionId } = (input ?? {}) as Record<string, unknown>;
  if (name === 'relay-reconnect') {
    return relay.state.sessions.get(String(sessionId))?.name ?? 'no session';
  }
  // A name by prefix is a new one each time: there is no agent yet whose budget it could be.
  return agent === undefined ? undefined : String(agent).slice(0, 64);
}
