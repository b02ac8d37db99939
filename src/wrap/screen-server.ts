/**
 * Shows the agent's screen to those who ask for it (`agent-wrap watch`), at a socket of its own. While
 * nobody asks, it does nothing. docs/people.md.
 */
import { createServer, type Server, type Socket } from 'node:net';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { preparePrivate } from '../base/paths.ts';
import type { ScreenFrame } from '../protocol/screen-frame.ts';
import { listenScreen, screenSocketPath, screensDirectory } from '../transport/screen-sockets.ts';
import type { SocketAddress } from '../transport/unix.ts';

/** Milliseconds between two frames: as fast as a person can follow. */
const FRAME_MS = 100;
/** Followers at once: each costs a copy of every frame. */
const MAX_FOLLOWERS = 8;
/** Bytes a follower has not taken, above which it is cut off: some frames of a large screen. */
const MAX_UNSENT_BYTES = 1024 * 1024;

export interface ScreenSource {
  /** What is on the screen now. */
  frame(): Promise<ScreenFrame>;
  /** Calls `listener` once, at the next change. Returns how to stop that. */
  onceChanged(listener: () => void): () => void;
}

export interface ScreenServerOptions {
  relayDirectory: string;
  name: string;
  source: ScreenSource;
  clock: Clock;
  log: Log;
}

export class ScreenServer {
  readonly #options: ScreenServerOptions;
  readonly #server: Server;
  #address: SocketAddress | undefined;
  readonly #followers = new Set<Socket>();
  #state: 'idle' | 'showing' | 'closed' = 'idle';
  /** Ends the wait for a change. */
  #wake: () => void = () => {};
  /** The last frame, as it was sent. */
  #sent = '';

  private constructor(options: ScreenServerOptions) {
    this.#options = options;
    this.#server = createServer((socket) => this.#join(socket));
    this.#server.unref(); // Whoever follows does not keep the person's prompt from coming back.
  }

  /** Throws DIRECTORY_UNSAFE, SOCKET_IN_THE_WAY, PATH_TOO_LONG, or what the system says. */
  static async open(options: ScreenServerOptions): Promise<ScreenServer> {
    const { relayDirectory, name } = options;
    const uid = process.getuid?.() ?? 0;
    // The relay's own as well: a daemon of others, joined by --socket, may live in /tmp.
    for (const each of [relayDirectory, screensDirectory(relayDirectory)]) preparePrivate(each, uid);
    const opened = new ScreenServer(options);
    opened.#address = await listenScreen(opened.#server, screenSocketPath(relayDirectory, name));
    opened.#server.on('error', (error) => options.log.warn('screen.socket-failed', { error }));
    return opened;
  }

  /** Takes the socket away. Twice is fine. */
  close(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    for (const follower of this.#followers) follower.destroy();
    this.#wake();
    this.#server.close();
    this.#address?.release();
  }

  #join(socket: Socket): void {
    socket.on('error', () => {}); // `close` follows.
    if (this.#state === 'closed' || this.#followers.size >= MAX_FOLLOWERS) return void socket.destroy();
    socket.unref();
    socket.resume(); // Nothing is expected from it but its end.
    this.#followers.add(socket);
    socket.on('end', () => socket.destroy());
    socket.on('close', () => {
      this.#followers.delete(socket);
      if (this.#followers.size === 0) this.#wake();
    });
    if (this.#sent !== '') socket.write(this.#sent);
    if (this.#state === 'idle') void this.#show();
  }

  /** As long as somebody follows. */
  async #show(): Promise<void> {
    this.#state = 'showing';
    const { source, log } = this.#options;
    try {
      while (this.#state === 'showing' && this.#followers.size > 0) {
        const changed = this.#changed(); // From before the look on: no change between the two is missed.
        this.#send(`${JSON.stringify(await source.frame())}\n`);
        await this.#pause();
        await changed;
      }
    } catch (error) {
      log.warn('screen.unreadable', { error });
      for (const follower of this.#followers) follower.destroy();
    }
    this.#sent = '';
    if (this.#state === 'showing') this.#state = 'idle';
  }

  #changed(): Promise<void> {
    return new Promise((resolve) => {
      const stop = this.#options.source.onceChanged(resolve);
      this.#wake = () => {
        stop();
        resolve();
      };
    });
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => void this.#options.clock.after(FRAME_MS, resolve, { unref: true }));
  }

  #send(line: string): void {
    if (line === this.#sent) return;
    this.#sent = line;
    for (const follower of this.#followers) {
      if (follower.writableLength <= MAX_UNSENT_BYTES) follower.write(line);
      else follower.destroy();
    }
  }
}
