/**
 * Simulated unix sockets between processes: bytes arrive late, in any pieces, and a connection may break
 * with bytes under way. Order holds within a connection and not across them.
 */
import type { Link, LinkHandlers } from '../../src/transport/link.ts';
import type { Random } from '../helpers/sim-files.ts';
import type { SimProcess } from './sim-process.ts';

/** Bytes the kernel keeps for a reader; what is more waits in the writer's memory. Small, so that it happens. */
const KERNEL_BYTES = 16 * 1024;

export class SimNetwork {
  readonly #random: Random;
  /** Milliseconds a piece of bytes may be under way. */
  slowness = 1;
  readonly #pairs = new Set<[SimSocket, SimSocket]>();

  constructor(random: Random) {
    this.#random = random;
  }

  delay(): number {
    return this.#random.next() * this.slowness;
  }

  connect(left: SimProcess, right: SimProcess): [Link, SimSocket] {
    const pair: [SimSocket, SimSocket] = [
      new SimSocket(this, this.#random, left),
      new SimSocket(this, this.#random, right),
    ];
    pair[0].other = pair[1];
    pair[1].other = pair[0];
    this.#pairs.add(pair);
    for (const end of pair) end.whenGone = () => this.#pairs.delete(pair);
    return pair;
  }

  /** Breaks one connection, if there is any. */
  cut(): void {
    const pairs = [...this.#pairs];
    const pair = pairs[this.#random.below(pairs.length)];
    for (const end of pair ?? []) end.reset();
  }
}

export class SimSocket implements Link {
  other: SimSocket | undefined;
  whenGone: () => void = () => {};
  #whenClosed: (() => void) | undefined;
  readonly #network: SimNetwork;
  readonly #random: Random;
  readonly #process: SimProcess;
  readonly #forgetDeath: () => void;
  #handlers: LinkHandlers | undefined;
  #state: 'open' | 'ending' | 'closed' = 'open';
  #flowing = false;
  #scheduled = false;
  /** Written by us; the kernel has not taken it. */
  #outgoing: Buffer[] = [];
  #outgoingBytes = 0;
  #full = false;
  #saidEnd = false;
  /** In the kernel, for us to read. */
  #incoming: Buffer[] = [];
  #incomingBytes = 0;
  #ended = false;
  /** The connection broke: what we write from now on goes nowhere. */
  #broken = false;

  constructor(network: SimNetwork, random: Random, process: SimProcess) {
    this.#network = network;
    this.#random = random;
    this.#process = process;
    this.#forgetDeath = process.whenDead(() => this.#die());
  }

  get bufferedBytes(): number {
    return this.#outgoingBytes;
  }

  start(handlers: LinkHandlers): void {
    this.#handlers = handlers;
    this.#flowing = true;
    if (this.#state === 'closed') this.#process.soon(0, () => handlers.closed());
    this.#schedule();
  }

  write(bytes: Buffer): void {
    if (this.#state !== 'open') return;
    this.#outgoing.push(bytes);
    this.#outgoingBytes += bytes.length;
    this.#flush();
  }

  pause(): void {
    this.#flowing = false;
  }

  resume(): void {
    this.#flowing = true;
    this.#schedule();
  }

  end(): void {
    if (this.#state !== 'open') return;
    this.#state = 'ending';
    this.#flush();
  }

  destroy(): void {
    this.#close(true);
  }

  /** The connection breaks: what is under way is lost from some point on. */
  reset(): void {
    if (this.#state === 'closed') return;
    this.#incoming = this.#incoming.slice(0, this.#random.below(this.#incoming.length + 1));
    this.#incomingBytes = this.#incoming.reduce((sum, { length }) => sum + length, 0);
    this.#outgoing = [];
    this.#outgoingBytes = 0;
    this.#ended = true;
    this.#broken = true;
    this.#schedule();
  }

  /** Calls `fn` at its end, whatever ended it. */
  whenClosed(fn: () => void): void {
    this.#whenClosed = fn;
  }

  #flush(): void {
    const { other } = this;
    if (this.#broken) {
      this.#outgoing = [];
      this.#outgoingBytes = 0;
    }
    if (other === undefined || other.#state === 'closed' || this.#saidEnd) return;
    for (let next = this.#outgoing[0]; next !== undefined; next = this.#outgoing[0]) {
      const room = KERNEL_BYTES - other.#incomingBytes;
      if (room <= 0) break;
      const part = next.subarray(0, room);
      if (part.length === next.length) this.#outgoing.shift();
      else this.#outgoing[0] = next.subarray(room);
      other.#incoming.push(part);
      other.#incomingBytes += part.length;
      this.#outgoingBytes -= part.length;
    }
    if (this.#outgoingBytes > 0) this.#full = true;
    else {
      // As Node does: told only to a writer that had to wait.
      if (this.#full && this.#handlers !== undefined) {
        this.#full = false;
        this.#process.soon(0, () => this.#state === 'open' && this.#handlers?.drain());
      }
      if (this.#state === 'ending') {
        this.#saidEnd = true;
        other.#ended = true;
        if (this.#ended) this.#close(true);
      }
    }
    other.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled || !this.#flowing || this.#state === 'closed') return;
    if (this.#incoming.length === 0 && !this.#ended) return;
    this.#scheduled = true;
    this.#process.soon(this.#network.delay(), () => {
      this.#scheduled = false;
      this.#read();
    });
  }

  #read(): void {
    if (!this.#flowing || this.#state === 'closed') return;
    if (this.#incoming.length > 0) {
      let bytes = Buffer.concat(this.#incoming);
      this.#incoming = [];
      if (this.#random.chance(0.2)) {
        const cut = 1 + this.#random.below(bytes.length);
        if (cut < bytes.length) this.#incoming.push(bytes.subarray(cut));
        bytes = bytes.subarray(0, cut);
      }
      this.#incomingBytes -= bytes.length;
      if (this.other !== undefined) this.other.#flush();
      this.#handlers?.data(bytes);
      this.#schedule();
      return;
    }
    if (!this.#ended) return;
    // As Node does for a socket that may not be half open.
    if (this.#state === 'open') this.#state = 'ending';
    if (this.#outgoingBytes === 0 || this.other === undefined || this.other.#state === 'closed')
      this.#close(true);
    else this.#flush();
  }

  #close(tell: boolean): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#forgetDeath();
    this.#whenClosed?.();
    this.#incoming = [];
    this.#outgoing = [];
    this.#outgoingBytes = 0;
    const { other } = this;
    if (other !== undefined && other.#state !== 'closed') {
      other.#ended = true;
      other.#schedule();
    } else this.whenGone();
    if (tell && this.#handlers !== undefined) this.#process.soon(0, () => this.#handlers?.closed());
  }

  #die(): void {
    // What the kernel had is still read; sometimes the other side learns of the death by a reset instead.
    if (this.other !== undefined && this.#random.chance(0.5)) this.other.reset();
    this.#close(false);
  }
}
