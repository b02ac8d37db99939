/** Who is on the relay, as `relay-agents` says it. */
import * as z from 'zod';
import { RelayError } from '../base/errors.ts';
import type { Place } from './place.ts';
import { callRelay } from './relay-call.ts';

export const Agents = z.object({
  namespace: z.string(),
  agents: z.array(
    z.looseObject({
      name: z.string(),
      state: z.string(),
      status: z.string().optional(),
      waitsFor: z.string().optional(),
      speech: z.string().optional(),
      topics: z.array(z.string()),
      queueDepth: z.number(),
      held: z.boolean().optional(),
      inflight: z.number(),
      lastActivity: z.string(),
    }),
  ),
});

export type KnownAgent = z.output<typeof Agents>['agents'][number];

/** Everybody on the relay; undefined: there is no relay (yet). */
export async function agentsOf(place: Place): Promise<KnownAgent[] | undefined> {
  try {
    return (await callRelay(place, 'relay-agents', {}, Agents)).agents;
  } catch (error) {
    if (RelayError.from(error).code === 'DAEMON_UNREACHABLE') return undefined;
    throw error;
  }
}
