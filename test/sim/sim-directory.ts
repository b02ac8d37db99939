/** The relay's directory as the leaders see it: numbered sockets, of which the highest leads (P20). */
import { RelayError } from '../../src/base/errors.ts';
import type { Fence } from '../../src/daemon/store/store.ts';
import type { SimHost } from './sim-host.ts';

export class SimDirectory {
  #highest = 0;
  #leader: SimHost | undefined;

  get highest(): number {
    return this.#highest;
  }

  /** Whoever listens at the highest socket, or has listened there. */
  get leader(): SimHost | undefined {
    return this.#leader;
  }

  /** link(2): of those who stand for one epoch the first wins. */
  publish(epoch: number): boolean {
    if (epoch <= this.#highest) return false;
    this.#highest = epoch;
    this.#leader = undefined;
    return true;
  }

  listen(host: SimHost): void {
    if (host.epoch === this.#highest) this.#leader = host;
  }

  fence(epoch: number): Fence {
    return {
      check: () => {
        if (this.#highest !== epoch) throw new RelayError('DEPOSED', `epoch ${this.#highest} leads`);
      },
    };
  }

  /** A power cut took the sockets with it, and with them the knowledge of how high they were. */
  forget(): void {
    this.#highest = 0;
    this.#leader = undefined;
  }
}
