/** Shows the agent's screen to those who follow it, from the time on when its name is ours. */
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Attachment } from '../client/attachment.ts';
import type { ScreenServer, ScreenSource } from './screen-server.ts';

export class ScreenShare {
  readonly #options: { name: string; clock: Clock; log: Log };
  /** Undefined: not yet, or the agent has ended. */
  #source: ScreenSource | undefined;
  #server: Promise<ScreenServer | undefined> | undefined;

  constructor(options: { name: string; clock: Clock; log: Log }) {
    this.#options = options;
  }

  /** The agent runs. */
  begin(source: ScreenSource): void {
    this.#source = source;
  }

  /** Once the name is ours: before, another wrapper's socket may lie there. */
  show(attachment: Attachment | undefined): void {
    const source = this.#source;
    if (source === undefined || this.#server !== undefined || attachment === undefined) return;
    const { directory: relayDirectory } = attachment;
    this.#server = import('./screen-server.ts')
      .then(({ ScreenServer }) => ScreenServer.open({ ...this.#options, relayDirectory, source }))
      .catch((error: unknown) => {
        this.#options.log.warn('screen.not-shown', { error });
        this.#server = undefined; // The next time we are ready.
        return undefined;
      });
  }

  hide(): void {
    const server = this.#server;
    this.#source = undefined;
    void server?.then((opened) => opened?.close());
  }
}
