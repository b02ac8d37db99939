/**
 * Two reigns and the takeover between them, played once in memory while nobody waits. V8 compiles a function
 * when it first runs, and Node and zod prepare much when it is first used: half of what a new leader does, at
 * the moment when everybody waits for it. docs/benchmarks.md
 */
import type { Clock } from '../base/clock.ts';
import { RelayError } from '../base/errors.ts';
import { silentLog } from '../base/log.ts';
import { newEnvelope } from '../protocol/envelope.ts';
import type { Payload } from '../protocol/payloads.ts';
import { Connection } from '../transport/connection.ts';
import type { Link } from '../transport/link.ts';
import { Host } from './host.ts';
import { memoryGround } from './memory-ground.ts';

const AGENTS = ['ann', 'bob'];

/** Nothing is left of it but what was compiled. */
export async function rehearse(clock: Clock): Promise<void> {
  const options = { directory: '/rehearsal', namespace: 'rehearsal', clock, log: silentLog };
  const ground = memoryGround(options.directory);
  let tokens: (string | undefined)[] = AGENTS.map(() => undefined);
  for (const above of [0, 1]) {
    const host = await Host.stand({ ...options, above, ground });
    if (host === undefined) throw new RelayError('INTERNAL', 'the rehearsal found another leader');
    try {
      tokens = await Promise.all(AGENTS.map((agent, i) => hello(host.open(), agent, tokens[i], clock)));
    } finally {
      await host.close();
    }
  }
}

/** Joins, by the resume token if there is one; resolves with the next. */
function hello(
  link: Link,
  agent: string,
  token: string | undefined,
  clock: Clock,
): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const connection = new Connection(link);
    const refused = (error: Error) => {
      connection.destroy();
      reject(error);
    };
    connection.start({
      envelope(envelope) {
        if (envelope.type === 'WELCOME') resolve(envelope.payload.resume_token);
        else if (envelope.type === 'ERROR') refused(new RelayError('INTERNAL', envelope.payload.message));
        else if (envelope.type === 'BYE') connection.destroy();
      },
      invalid: refused,
      closed: () => refused(new RelayError('CONNECTION_LOST', 'the rehearsal ended early')),
    });
    const payload: Payload<'HELLO'> = {
      agent,
      capabilities: { ack: true, resume: true, ack_lists: true, injects: true },
      session: token === undefined ? {} : { resume_token: token },
    };
    connection.send(newEnvelope('HELLO', payload, clock.now()));
  });
}
