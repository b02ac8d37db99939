/** A client process of a benchmark (relay-peer.ts), as its parent sees it. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import type { BusPlace } from './bus.ts';
import type { Order } from './relay-peer.ts';

/** The client process as people run our code: bundled into `home`, the daemon in a chunk of its own. */
export async function bundlePeer(home: string): Promise<void> {
  await build({
    entryPoints: [join(import.meta.dirname, 'relay-peer.ts')],
    outdir: join(home, 'peer'),
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
  });
  writeFileSync(join(home, 'peer', 'package.json'), '{"type":"module"}\n');
}

export class Peer {
  readonly #child;

  private constructor(home: string) {
    this.#child = fork(join(home, 'peer', 'relay-peer.js'), { execArgv: ['--enable-source-maps'] });
  }

  /** A process that `bundlePeer(home)` made, joined under these names. */
  static async open(home: string, place: BusPlace, ...names: string[]): Promise<Peer> {
    const peer = new Peer(home);
    await peer.ask({ do: 'open', place, names }, 'opened');
    return peer;
  }

  /** The next answer that has `key`. */
  answer<T>(key: string): Promise<T> {
    return new Promise((answered) => {
      const listen = (message: object) => {
        if (!(key in message)) return;
        this.#child.off('message', listen);
        answered(message as T);
      };
      this.#child.on('message', listen);
    });
  }

  each(listen: (message: { readyUs?: number; name?: string }) => void): void {
    this.#child.on('message', listen);
  }

  ask<T>(order: Order, key: string): Promise<T> {
    const answer = this.answer<T>(key);
    this.#child.send(order);
    return answer;
  }

  async end(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.send({ do: 'close' } satisfies Order);
    await ended;
  }
}
