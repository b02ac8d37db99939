/** A listening socket of a simulated process, with the daemon behind it: what listener.ts and control.ts are. */
import type { CommandResult } from '../../src/afd/result.ts';
import { RelayError } from '../../src/base/errors.ts';
import type { Daemon } from '../../src/daemon/daemon.ts';
import type { Listener } from '../../src/daemon/listener.ts';
import { HTTP_HEADER_MS } from '../../src/protocol/limits.ts';
import type { Link } from '../../src/transport/link.ts';
import { mistakenLink, watchedLink } from './mistakes.ts';
import type { SimMachine } from './sim-machine.ts';
import type { SimProcess } from './sim-process.ts';
import type { Page } from './sim-reader.ts';

export class SimListener implements Listener {
  readonly process: SimProcess;
  readonly #machine: SimMachine;
  readonly #links = new Set<Link>();
  #state: 'open' | 'closed' = 'open';
  #waiting: Link[] = [];
  #daemon: Daemon | undefined;
  #emptied: (() => void) | undefined;

  constructor(machine: SimMachine, process: SimProcess) {
    this.#machine = machine;
    this.process = process;
  }

  /** Undefined while it waits for the result of its election. */
  get daemon(): Daemon | undefined {
    return this.#daemon;
  }

  /** The kernel takes connections for it, also while its process is stopped. */
  get listening(): boolean {
    return this.#state === 'open' && this.process.alive;
  }

  async listen(path: string): Promise<void> {
    await this.process.sleep(this.#machine.random.next());
    this.#machine.directory.bind(path, this);
  }

  serve(daemon: Daemon): void {
    this.#daemon = daemon;
    this.#watch(daemon);
    for (const link of this.#waiting.splice(0)) daemon.accept(link);
  }

  /** A connection that has reached the process. */
  accept(link: Link): void {
    if (this.#state === 'closed') return link.destroy();
    if (this.#daemon === undefined) this.#waiting.push(link);
    else this.#daemon.accept(link);
  }

  /** Keeps track of a connection until `over` of it is called. */
  connected(link: Link): { over(): void } {
    this.#links.add(link);
    return {
      over: () => {
        this.#links.delete(link);
        if (this.#links.size === 0) this.#emptied?.();
      },
    };
  }

  close(): Promise<void> {
    this.#state = 'closed';
    for (const link of this.#waiting.splice(0)) link.destroy();
    return new Promise((resolve) => {
      this.#emptied = resolve;
      if (this.#links.size === 0) resolve();
    });
  }

  end(): void {
    for (const link of this.#links) {
      link.end();
      this.process.clock.after(HTTP_HEADER_MS, () => link.destroy());
    }
  }

  /** An AFD command, as POST /rpc brings it. */
  execute(command: string, input: unknown, token: string | undefined): Promise<CommandResult> {
    if (this.#daemon === undefined) throw new RelayError('CONNECTION_LOST', 'simulated');
    return this.#daemon.execute(command, input, { token });
  }

  /** All that comes to the daemon and goes from it passes the witness, also what its own process says to it. */
  #watch(daemon: Daemon): void {
    const { witness, directory, options } = this.#machine;
    const { mistake } = options;
    const { epoch } = daemon;
    const accept = daemon.accept.bind(daemon);
    daemon.accept = (link) => {
      const seen = witness.connection(epoch, () => directory.highest);
      // Seen as the daemon knows it: what it is shown is changed before, what it says after.
      accept(
        mistake === 'no-deduplication'
          ? watchedLink(mistakenLink(link, mistake, seen.number), seen)
          : mistakenLink(watchedLink(link, seen), mistake, seen.number),
      );
    };
    const execute = daemon.execute.bind(daemon);
    daemon.execute = async (command, input, given) => {
      const began = this.process.clock.now();
      const result = await execute(command, input, given);
      if (!result.success) return result;
      if (command !== 'relay-poll') witness.answered(command, epoch, directory.highest);
      else {
        const { since } = input as { since?: string };
        const page = result.data as Page;
        // An empty answer promises nothing.
        if (page.messages.length > 0) witness.answered(command, epoch, directory.highest);
        witness.polled(since, page, { began, now: this.process.clock.now() });
      }
      return result;
    };
  }
}
