/**
 * A daemon with its socket: elected, served, healed each second, and gone when deposed. The one file that
 * joins Daemon, Leadership and Control. architecture.md "Leadership and the store" (P19, P20).
 */
import { renderEndpoint } from '../afd/endpoint.ts';
import type { Clock, Timer } from '../base/clock.ts';
import { RelayError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Payload } from '../protocol/payloads.ts';
import type { Link } from '../transport/link.ts';
import { memoryLinks } from '../transport/memory.ts';
import { listEpochs } from '../transport/relay-sockets.ts';
import { Daemon } from './daemon.ts';
import { firmGround, type Ground } from './ground.ts';
import { RENEW_MS } from './host-file.ts';
import { Leadership } from './leadership.ts';
import type { Listener } from './listener.ts';
import type { DaemonSettings } from './settings.ts';
import type { StorePlace } from './store/open.ts';
import type { Durability } from './store/segment.ts';
import type { Store } from './store/store.ts';

/** Milliseconds between two looks at whether directory, socket and symlinks are right (P20). */
const HEAL_MS = 1_000;

export interface HostOptions {
  directory: string;
  namespace: string;
  /** The highest epoch known. */
  above: number;
  clock: Clock;
  log: Log;
  socketPath?: string | undefined;
  settings?: Partial<DaemonSettings> | undefined;
  /** What `stored` survives: a power cut, or only the end of every process. */
  durability?: Durability | undefined;
  /** Another store than the segment log in the directory. */
  openStore?: ((place: StorePlace) => Store) | undefined;
  /** Another machine than this one. */
  ground?: Ground | undefined;
}

export class Host {
  readonly daemon: Daemon;
  readonly epoch: number;
  readonly endpoint: string;
  /** Resolves when it leads no more, by its own will or deposed. */
  readonly ended: Promise<void>;
  readonly #directory: string;
  readonly #ground: Ground;
  readonly #leadership: Leadership;
  readonly #listener: Listener;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #timers: Timer[];
  #state: 'leading' | 'ending' | 'ended' = 'leading';
  #failure: RelayError | undefined;
  #end: () => void = () => {};

  private constructor(
    options: HostOptions,
    ground: Ground,
    leadership: Leadership,
    listener: Listener,
    store: Store,
    tookOver: boolean,
  ) {
    const { directory, namespace, clock, log, settings } = options;
    this.#directory = directory;
    this.#ground = ground;
    this.#leadership = leadership;
    this.#listener = listener;
    this.#clock = clock;
    this.#log = log;
    this.epoch = leadership.epoch;
    this.endpoint = renderEndpoint(leadership.path);
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.daemon = new Daemon({
      store,
      fence: leadership,
      clock,
      log,
      random: ground.random,
      epoch: leadership.epoch,
      namespace,
      endpoint: this.endpoint,
      tookOver,
      audit: ground.audit(directory, log),
      ...(settings === undefined ? {} : { settings }),
      failed: (error) => {
        this.#failure ??= error;
        void this.close();
      },
    });
    listener.serve(this.daemon);
    this.#timers = [
      clock.every(HEAL_MS, () => this.#heal(), { unref: true }),
      clock.every(RENEW_MS, () => this.#renew(), { unref: true }),
    ];
    this.#renew();
    this.#heal();
  }

  /**
   * Stands for election. Undefined when another won; throws RELAY_ELSEWHERE, and STORE_TOO_NEW or
   * STORE_FAILED for a store that we cannot read: nobody else must be deposed for that (P20).
   */
  static async stand(options: HostOptions): Promise<Host | undefined> {
    const { directory, clock, log, ground = firmGround } = options;
    const { files } = ground;
    const { tookOver } = ground.inspectHost(directory, clock.now());
    // Sockets may have been swept: the clock of reigns does not go back.
    const above = Math.max(options.above, await ground.inspectStore(directory));
    // Somebody won while we looked: what we found in the store may be that reign's, which lives.
    if ((listEpochs(directory, files.list).at(-1) ?? 0) > options.above) return undefined;
    const listener = ground.listener(clock, log);
    const leadership = await Leadership.stand({ ...options, above, files, listener });
    if (leadership === undefined) return undefined;
    try {
      const store = openStore(options, ground, leadership);
      const host = new Host(options, ground, leadership, listener, store, tookOver);
      log.info('host.leads', { epoch: host.epoch, directory, tookOver });
      return host;
    } catch (error) {
      void listener.close();
      throw error;
    }
  }

  get leading(): boolean {
    return this.#state === 'leading';
  }

  /** Why it leads no more though nobody told it to leave: DEPOSED, or what ended the store. */
  get failure(): RelayError | undefined {
    return this.#failure;
  }

  /** A connection to the daemon that needs no socket. Throws DAEMON_UNREACHABLE. */
  open(): Link {
    if (this.#state !== 'leading') throw new RelayError('DAEMON_UNREACHABLE', 'the daemon here has ended');
    const [ours, theirs] = memoryLinks();
    this.daemon.accept(theirs);
    return ours;
  }

  /** Hands over: BYE to all, the socket is closed, its file stays. Twice is fine. */
  async close(bye?: Payload<'BYE'>): Promise<void> {
    if (this.#state !== 'leading') return this.ended;
    this.#state = 'ending';
    for (const timer of this.#timers) timer.cancel();
    const alone = this.daemon.connections === 0;
    // First nobody new comes in: who is sent away shall find the socket refused, and take over at once.
    const closed = this.#listener.close();
    await this.daemon.close(bye);
    if (alone) this.#renew(true);
    this.#listener.end();
    await closed;
    this.#state = 'ended';
    this.#end();
  }

  #heal(): void {
    try {
      this.#leadership.heal();
    } catch (thrown) {
      const error = RelayError.from(thrown);
      if (error.code !== 'DEPOSED') {
        this.#log.warn('host.heal', { error });
        return;
      }
      this.#log.warn('host.deposed', { message: error.message });
      this.#failure ??= error;
      void this.close({ code: 'DEPOSED', message: error.message, epoch: this.epoch });
    }
  }

  #renew(empty = false): void {
    try {
      this.#leadership.check();
      this.#ground.renewHost(this.#directory, this.#clock.now(), empty);
    } catch (error) {
      this.#log.warn('host.renew', { error });
    }
  }
}

function openStore(options: HostOptions, ground: Ground, fence: Leadership): Store {
  const { directory, clock, log, durability, openStore = ground.openStore } = options;
  const place = { directory, epoch: fence.epoch, fence, durability: durability ?? 'sync', clock, log };
  return openStore(place);
}
