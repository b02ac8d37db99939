/** A command of the relay called from the CLI: inside an agent as that agent, else as the person (P10). */
import type * as z from 'zod';
import { parseResult, unwrap } from '../afd/parse-result.ts';
import { systemClock } from '../base/clock.ts';
import { RelayError } from '../base/errors.ts';
import { silentLog } from '../base/log.ts';
import { attach } from '../wrap/attach.ts';
import type { Place } from './place.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The token to call with; undefined for the person.
 * @throws RelayError TOKEN_REQUIRED: an agent without its token is never taken for the person (P10).
 */
export function callerToken(env: Environment): string | undefined {
  const { AGENT_RELAY_NAME: name, AGENT_RELAY_TOKEN: token } = env;
  if (name === undefined || token !== undefined) return token;
  throw new RelayError('TOKEN_REQUIRED', 'AGENT_RELAY_NAME is set, AGENT_RELAY_TOKEN is not', {
    suggestion: 'unset AGENT_RELAY_NAME to speak as the person',
  });
}

/** The answer as it came. Never hosts a daemon: what it started would end with it. Throws DAEMON_UNREACHABLE. */
export async function askRelay(
  place: Place,
  name: string,
  input: unknown,
  signal?: AbortSignal,
): Promise<unknown> {
  const { env } = process;
  const token = callerToken(env);
  const attachment = await attach({ ...place, env, mayLead: false, clock: systemClock, log: silentLog });
  try {
    return await attachment.call(name, input, {
      ...(token === undefined ? {} : { token }),
      ...(signal === undefined ? {} : { signal }),
    });
  } finally {
    await attachment.close();
  }
}

/** The data of the answer, checked against `output`. Throws as `askRelay`, or the failure by its code. */
export async function callRelay<O extends z.ZodType>(
  place: Place,
  name: string,
  input: unknown,
  output: O,
): Promise<z.output<O>> {
  return unwrap(parseResult(output, await askRelay(place, name, input)));
}
