/** The socket a leader listens on: who connects waits until there is a daemon to serve it (P20, P22). */
import { createServer, type Server, type Socket } from 'node:net';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { listenUnix, type SocketAddress } from '../transport/unix.ts';
import { Control } from './control.ts';
import type { Daemon } from './daemon.ts';
import { connectionRoom } from './descriptors.ts';

export interface Listener {
  /** Rejects with the system's error. */
  listen(path: string): Promise<void>;
  /** From now on connections are this daemon's, also those that wait. */
  serve(daemon: Daemon): void;
  /** Nobody new comes in: who tries is refused at once. Resolves when the connections there are have ended. */
  close(): Promise<void>;
  /** Ends the connections there are: what was written is sent first. */
  end(): void;
}

export class SocketListener implements Listener {
  readonly #server: Server;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #waiting: Socket[] = [];
  #control: Control | undefined;
  #address: SocketAddress | undefined;

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
    // Whoever has said all it has to say may still wait for the answer (P12).
    this.#server = createServer({ allowHalfOpen: true }, (socket) => {
      if (this.#control === undefined) this.#waiting.push(socket);
      else this.#control.accept(socket);
    });
  }

  async listen(path: string): Promise<void> {
    this.#address = await listenUnix(this.#server, path);
    // A connection that could not be taken is lost, the leader goes on (P20).
    this.#server.on('error', (error) => this.#log.error('host.server', { error }));
  }

  serve(daemon: Daemon): void {
    this.#control = new Control(daemon, this.#clock, this.#log, connectionRoom());
    for (const socket of this.#waiting.splice(0)) this.#control.accept(socket);
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#waiting.splice(0)) socket.destroy();
    await closed;
    this.#address?.release();
  }

  end(): void {
    this.#control?.close();
  }
}
