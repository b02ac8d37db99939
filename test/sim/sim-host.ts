/**
 * What src/daemon/host.ts and src/wrap/attach.ts do, over a simulated machine: an elected daemon with its
 * store in a process, and how a process finds it or becomes it. The daemon, its store and its clients are
 * the production code.
 */
import { RelayError } from '../../src/base/errors.ts';
import type { Attachment } from '../../src/client/attachment.ts';
import { Daemon } from '../../src/daemon/daemon.ts';
import type { DaemonSettings } from '../../src/daemon/settings.ts';
import { highestEpoch } from '../../src/daemon/store/segment.ts';
import { SegmentLog } from '../../src/daemon/store/segment-log.ts';
import type { StoreFigures } from '../../src/daemon/store/store.ts';
import type { Payload } from '../../src/protocol/payloads.ts';
import type { Link } from '../../src/transport/link.ts';
import { memoryLinks } from '../../src/transport/memory.ts';
import { mistakenFence, mistakenFiles, mistakenLink, watchedLink } from './mistakes.ts';
import type { SimMachine } from './sim-machine.ts';
import type { SimProcess } from './sim-process.ts';

/** Milliseconds: those of host.ts, relay-sockets.ts and attach.ts. */
const HEAL_MS = 1_000;
const SILENCE_MS = 2_000;
const YOUNG_MS = 10_000;
const PATIENCE_MS = 250;

/** A log that seems so much longer than it is: the daemon compacts it after a few records. */
class LongLog extends SegmentLog {
  override get figures(): StoreFigures {
    const { bytes, ...figures } = super.figures;
    return { ...figures, bytes: bytes * 20_000 };
  }
}

export class SimHost {
  readonly epoch: number;
  readonly process: SimProcess;
  readonly daemon: Daemon;
  readonly since: number;
  readonly #machine: SimMachine;
  #state: 'leading' | 'ended' = 'leading';
  #stopHealing: () => void;

  private constructor(machine: SimMachine, process: SimProcess, epoch: number) {
    const { directory, witness, options } = machine;
    this.#machine = machine;
    this.process = process;
    this.epoch = epoch;
    this.since = machine.time.now;
    const fence = mistakenFence(directory.fence(epoch), options.mistake);
    let recovering = true;
    const store = new (machine.compacts ? LongLog : SegmentLog)({
      files: mistakenFiles(machine.disk.files(process), options.mistake, () => recovering),
      epoch,
      fence,
      clock: process.clock,
      log: machine.log(`store ${epoch}`),
      durability: machine.durability,
      limits: { segmentBytes: 3_000, groupBytes: 2_000, spareBytes: 4_000 },
      soon: (fn) => process.soon(0, fn),
      marker: () => 1 + machine.random.below(0xffffffff),
    });
    this.daemon = new Daemon({
      store,
      fence,
      clock: process.clock,
      log: machine.log(`daemon ${epoch}`),
      random: (count) => Buffer.from(Array.from({ length: count }, () => machine.random.below(256))),
      epoch,
      namespace: 'sim',
      endpoint: 'unix:///sim/relay.sock',
      tookOver: epoch > 1,
      settings: machine.settings as Partial<DaemonSettings>,
      failed: () => void this.close(),
    });
    void this.daemon.ready.then(() => {
      recovering = false;
      if (this.leading) witness.recovered(epoch, directory.highest);
    });
    const healing = process.clock.every(HEAL_MS, () => this.#heal(fence));
    this.#stopHealing = () => healing.cancel();
  }

  /** Stands for election; undefined when another won. */
  static async stand(machine: SimMachine, process: SimProcess, above: number): Promise<SimHost | undefined> {
    const { directory, disk, trace } = machine;
    const epoch = Math.max(above, await highestEpoch(disk.files(process))) + 1;
    await process.sleep(machine.random.next());
    if (!directory.publish(epoch)) return undefined;
    trace?.(`epoch ${epoch} leads`);
    const host = new SimHost(machine, process, epoch);
    directory.listen(host);
    return host;
  }

  get leading(): boolean {
    return this.#state === 'leading';
  }

  /** A connection to its socket would be accepted: by the kernel, if the process is stopped. */
  get listening(): boolean {
    return this.leading && this.process.alive;
  }

  accept(link: Link): void {
    const { options } = this.#machine;
    const seen = this.#machine.witness.connection(this.epoch, () => this.#machine.directory.highest);
    const { mistake } = options;
    // Seen as the daemon knows it: what it is shown is changed before, what it says after.
    const daemonEnd =
      mistake === 'no-deduplication'
        ? watchedLink(mistakenLink(link, mistake, seen.number), seen)
        : mistakenLink(watchedLink(link, seen), mistake, seen.number);
    this.daemon.accept(daemonEnd);
  }

  open(): Link {
    if (!this.leading) throw new RelayError('DAEMON_UNREACHABLE', 'the daemon here has ended');
    const [ours, theirs] = memoryLinks();
    this.accept(theirs);
    return ours;
  }

  async execute(command: string, input: unknown, options: { token?: string }): Promise<unknown> {
    const result = await this.daemon.execute(command, input, options);
    if (result.success) {
      this.#machine.witness.answered(command, this.epoch, this.#machine.directory.highest);
    }
    return result;
  }

  async close(bye?: Payload<'BYE'>): Promise<void> {
    if (!this.leading) return;
    this.#state = 'ended';
    this.#stopHealing();
    await this.daemon.close(bye);
  }

  #heal(fence: { check(): void }): void {
    try {
      fence.check();
    } catch (thrown) {
      const { message } = RelayError.from(thrown);
      void this.close({ code: 'DEPOSED', message, epoch: this.epoch });
    }
  }
}

/** Finds the leader or becomes it (P20). */
export async function simAttach(machine: SimMachine, process: SimProcess): Promise<Attachment> {
  const { directory } = machine;
  for (;;) {
    const epoch = directory.highest;
    if (epoch > 0) {
      const host = directory.leader;
      const found = await probe(machine, process, host);
      if (found === 'alive' && host !== undefined) return clientAttachment(machine, process, host);
      const young = machine.time.now - (host?.since ?? machine.time.now) < YOUNG_MS;
      if (found === 'silent' && young) {
        await process.sleep(PATIENCE_MS);
        continue;
      }
    }
    const host = await SimHost.stand(machine, process, epoch);
    if (host !== undefined) return leaderAttachment(host);
  }
}

async function probe(
  machine: SimMachine,
  process: SimProcess,
  host: SimHost | undefined,
): Promise<'alive' | 'refused' | 'silent'> {
  const silence = process.sleep(SILENCE_MS).then(() => 'silent' as const);
  const answer = request(machine, process, host, async () => 'alive' as const).catch((error) =>
    RelayError.from(error).code === 'DAEMON_UNREACHABLE' ? ('refused' as const) : ('silent' as const),
  );
  return Promise.race([answer, silence]);
}

/** A request to the leader and its answer: each may be late, or lost with the connection. */
function request<T>(
  machine: SimMachine,
  from: SimProcess,
  host: SimHost | undefined,
  serve: (host: SimHost) => Promise<T>,
): Promise<T> {
  const { network } = machine;
  return new Promise((resolve, reject) => {
    const fail = (code: 'DAEMON_UNREACHABLE' | 'CONNECTION_LOST') =>
      from.soon(network.delay(), () => reject(new RelayError(code, 'simulated')));
    from.soon(network.delay(), () => {
      if (!host?.listening) return fail('DAEMON_UNREACHABLE');
      const done = host.process.whenDead(() => fail('CONNECTION_LOST'));
      host.process.soon(network.delay(), () => {
        if (!host.listening || machine.unlucky(0.03)) return fail('CONNECTION_LOST');
        void serve(host).then((answer) => {
          done();
          if (machine.unlucky(0.03)) fail('CONNECTION_LOST');
          else from.soon(network.delay(), () => resolve(answer));
        });
      });
    });
  });
}

function clientAttachment(machine: SimMachine, process: SimProcess, host: SimHost): Attachment {
  const { network } = machine;
  return {
    role: 'client',
    leading: false,
    directory: '/sim',
    epoch: host.epoch,
    endpoint: 'unix:///sim/relay.sock',
    call: (command, input, options = {}) =>
      request(machine, process, host, () =>
        host.execute(command, input, options.token === undefined ? {} : { token: options.token }),
      ),
    async open() {
      await process.sleep(network.delay());
      if (!host.listening) throw new RelayError('DAEMON_UNREACHABLE', 'simulated');
      const [ours, theirs] = network.connect(process, host.process);
      host.process.soon(network.delay(), () => {
        if (host.leading) host.accept(theirs);
        else theirs.destroy();
      });
      return ours;
    },
    async close() {},
  };
}

function leaderAttachment(host: SimHost): Attachment {
  return {
    role: 'leader',
    get leading() {
      return host.leading;
    },
    directory: '/sim',
    epoch: host.epoch,
    endpoint: 'unix:///sim/relay.sock',
    call: (command, input, options = {}) =>
      host.execute(command, input, options.token === undefined ? {} : { token: options.token }),
    open: async () => host.open(),
    close: () => host.close(),
  };
}
