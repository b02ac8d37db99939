/** A command of the relay called from the CLI: inside an agent as that agent, else as the person (P10). */
import type * as z from 'zod';
import { parseResult, unwrap } from '../afd/parse-result.ts';
import { systemClock } from '../base/clock.ts';
import { silentLog } from '../base/log.ts';
import { attach } from '../wrap/attach.ts';
import type { Place } from './place.ts';

/**
 * The data of the answer, checked against `output`. Never hosts a daemon. Throws DAEMON_UNREACHABLE, or
 * the failure of the command by its code.
 */
export async function callRelay<O extends z.ZodType>(
  place: Place,
  name: string,
  input: unknown,
  output: O,
): Promise<z.output<O>> {
  const attachment = await attach({
    ...place,
    env: process.env,
    mayLead: false,
    clock: systemClock,
    log: silentLog,
  });
  const token = process.env.AGENT_RELAY_TOKEN;
  try {
    const answer = await attachment.call(name, input, token === undefined ? {} : { token });
    return unwrap(parseResult(output, answer));
  } finally {
    await attachment.close();
  }
}
