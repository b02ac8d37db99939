/** A temporary home for a relay, and attachments to it that are closed with it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import type { Attachment } from '../../src/client/attachment.ts';
import { type AttachOptions, attach } from '../../src/wrap/attach.ts';

export class Place {
  readonly state = mkdtempSync(join(tmpdir(), 'agent-wrap-test-'));
  readonly directory = join(
    this.state,
    'agent-relay',
    `default@${hostname().replace(/[^A-Za-z0-9.-]/g, '-')}`,
  );
  readonly #attachments: Attachment[] = [];

  get env(): Record<string, string> {
    return { XDG_STATE_HOME: this.state };
  }

  async attach(options: Partial<AttachOptions> = {}): Promise<Attachment> {
    const attachment = await attach({
      namespace: 'default',
      env: this.env,
      mayLead: true,
      clock: systemClock,
      log: silentLog,
      ...options,
    });
    this.#attachments.push(attachment);
    return attachment;
  }

  async remove(): Promise<void> {
    for (const attachment of this.#attachments.reverse()) await attachment.close();
    rmSync(this.state, { recursive: true, force: true });
  }
}
