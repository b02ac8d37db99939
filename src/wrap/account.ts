/** What the agent said and no relay has taken over: it is kept on disk, and its person hears of it. */
import { RelayError } from '../base/errors.ts';
import type { RelayClient } from '../client/relay-client.ts';
import type { WrapperOptions } from './wrapper-options.ts';

/** How much longer than its agent a wrapper may stay for a disk that keeps what no relay took. */
const KEEP_MS = 1_000;

/** `refused`: messages that the outbox had no room for. */
export async function accountFor(
  name: string,
  client: Promise<RelayClient>,
  { clock, log, unsent, refused }: Pick<WrapperOptions, 'clock' | 'log' | 'unsent'> & { refused: number },
): Promise<void> {
  if (refused > 0) {
    unsent(new RelayError('QUEUE_FULL', `${refused} messages of ${name} found no room in its outbox`));
  }
  const late = new Promise<undefined>((resolve) => {
    clock.after(KEEP_MS, () => resolve(undefined), { unref: true });
  });
  const kept = await Promise.race([client.then((one) => one.keepUnsent()), late]).catch((error: unknown) =>
    log.error('outbox.failed', { error }),
  );
  if (!kept || kept.unanswered === 0) return;
  log.warn('outbox.unsent', kept);
  if (kept.lost > 0) {
    const message = `${kept.lost} messages of ${name} are lost: no relay took them, and no disk`;
    unsent(new RelayError('UNSENT', message, { suggestion: 'see: agent-wrap doctor' }));
    return;
  }
  const message = `${kept.unanswered} messages of ${name} have not left: no relay took them`;
  const suggestion = `they are kept, and leave with its next session: agent-wrap --name ${name} …`;
  unsent(new RelayError('UNSENT', message, { suggestion }));
}
