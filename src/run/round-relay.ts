/** The relay of a round: hosted here, in the round's own directory, and listened to. */
import * as z from 'zod';
import { parseResult, unwrap } from '../afd/parse-result.ts';
import { RelayError } from '../base/errors.ts';
import type { Attachment } from '../client/attachment.ts';
import type { RelayRecord } from '../daemon/record.ts';
import type { WatchedAgent } from '../watch/model.ts';
import { attach } from '../wrap/attach.ts';
import { agentRows, type RowedAgent } from './agent-rows.ts';
import { TappedStore } from './relay-tap.ts';
import type { RoundAgentsOptions, RoundPlace } from './round-agents.ts';
import type { PairingMessage } from './schema.ts';

export class RoundRelay {
  readonly #attachment: Attachment;

  private constructor(attachment: Attachment) {
    this.#attachment = attachment;
  }

  /** `record` takes all that it stores. Throws DIRECTORY_UNSAFE if it cannot live where the round does. */
  static async open(
    { pairing, env, clock, log }: Pick<RoundAgentsOptions, 'pairing' | 'env' | 'clock' | 'log'>,
    { home, namespace }: RoundPlace,
    record: (record: RelayRecord) => void,
  ): Promise<RoundRelay> {
    const attachment = await attach({
      namespace,
      env: { ...env, XDG_STATE_HOME: home },
      mayLead: true,
      clock,
      log,
      settings: { brake: pairing.brake },
      openStore: ({ fence }) => new TappedStore(fence, record),
    });
    if (attachment.directory.startsWith(home)) return new RoundRelay(attachment);
    await attachment.close();
    throw new RelayError('DIRECTORY_UNSAFE', `the relay of the run cannot live in ${home}`);
  }

  /** False: another process took it over. */
  get leading(): boolean {
    return this.#attachment.leading;
  }

  /** Sends as `user`. Throws what relay-send refuses with. */
  async send(message: PairingMessage): Promise<void> {
    unwrap(parseResult(z.unknown(), await this.#attachment.call('relay-send', message)));
  }

  /** How the agents are. Throws what relay-agents refuses with. */
  rows(agents: readonly RowedAgent[]): Promise<WatchedAgent[]> {
    return agentRows(this.#attachment, agents);
  }

  async close(): Promise<void> {
    await this.#attachment.close();
  }
}
