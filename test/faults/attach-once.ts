/** A process of the leaders trial: attaches in the directory it is told, says who it is, lets go when told so. */
import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import type { Attachment } from '../../src/client/attachment.ts';
import { attach } from '../../src/wrap/attach.ts';

let attachment: Attachment | undefined;

process.on('message', async (order: { state: string } | 'close') => {
  if (order === 'close') {
    await attachment?.close();
    process.send?.('closed');
    return;
  }
  try {
    const env = { XDG_STATE_HOME: order.state };
    attachment = await attach({
      namespace: 'default',
      env,
      mayLead: true,
      clock: systemClock,
      log: silentLog,
    });
    const status = (await attachment.call('relay-status', {})) as { data?: { epoch: number } };
    process.send?.({ role: attachment.role, epoch: attachment.epoch, answered: status.data?.epoch });
  } catch (error) {
    process.send?.({ role: 'failed', error: String(error) });
  }
});
process.on('disconnect', () => process.exit());
// Loaded before the start, as it would be by then in a wrapper that was quick to come up.
await import('../../src/daemon/host.ts');
process.send?.('ready');
