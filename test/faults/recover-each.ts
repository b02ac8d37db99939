/** A process that hosts one relay after the other, and says what each store gave: hundreds in a minute. */
import { systemClock } from '../../src/base/clock.ts';
import { lineLog } from '../../src/base/log.ts';
import { attach } from '../../src/wrap/attach.ts';
import { PersonInbox } from './person-inbox.ts';

export interface Recovered {
  bodies: string[];
  /** The lines of its log. */
  log: string;
  error?: string;
}

async function recover(state: string): Promise<Recovered> {
  const lines: string[] = [];
  const attachment = await attach({
    namespace: 'default',
    env: { XDG_STATE_HOME: state },
    mayLead: true,
    clock: systemClock,
    log: lineLog((line) => lines.push(line)),
  });
  try {
    const bodies = await new PersonInbox((command, input) => attachment.call(command, input)).read();
    return { bodies, log: lines.join('\n') };
  } finally {
    await attachment.close();
  }
}

process.on('message', (state: string) => {
  recover(state).then(
    (recovered) => process.send?.(recovered),
    (error: unknown) => process.send?.({ bodies: [], log: '', error: String(error) } satisfies Recovered),
  );
});
process.on('disconnect', () => process.exit());
