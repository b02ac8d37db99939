/** One simulated machine: its time, disk, network and relay directory, all of them from one seed. */
import { type Log, silentLog } from '../../src/base/log.ts';
import type { DEFAULT_SETTINGS } from '../../src/daemon/settings.ts';
import type { Durability } from '../../src/daemon/store/segment.ts';
import { Random, SimDisk } from '../helpers/sim-files.ts';
import type { Mistake } from './mistakes.ts';
import { SimDirectory } from './sim-directory.ts';
import { SimNetwork } from './sim-network.ts';
import { SimOutboxes } from './sim-outboxes.ts';
import { SimProcess, type WallClock, wallTime } from './sim-process.ts';
import { SimTime } from './sim-time.ts';
import { Witness } from './witness.ts';

export interface SimOptions {
  seed: number;
  mistake?: Mistake;
  /** Told each line of the trace as it happens. */
  tell?: (line: string) => void;
}

export class SimMachine {
  /** By pid. */
  readonly #processes: SimProcess[] = [];
  readonly options: SimOptions;
  readonly random: Random;
  readonly time = new SimTime();
  readonly wall: WallClock = { offset: 0 };
  readonly network: SimNetwork;
  readonly disk: SimDisk;
  readonly outboxes: SimOutboxes;
  readonly directory = new SimDirectory(() => wallTime(this.time, this.wall));
  readonly witness: Witness;
  readonly durability: Durability;
  readonly settings: Partial<typeof DEFAULT_SETTINGS>;
  /** The daemon takes its store for long. */
  readonly compacts: boolean;
  /** What an agent's outbox keeps in memory: undefined where its client is given no disk for it. */
  readonly outboxMemory: number | undefined;
  /** A disk has refused something once. */
  fullOnce = false;
  /** While faults happen. */
  faulty = true;
  /** Tells what happens, if somebody listens. */
  readonly trace: ((text: string) => void) | undefined;

  constructor(options: SimOptions) {
    this.options = options;
    this.random = new Random(options.seed);
    this.network = new SimNetwork(this.random);
    // A process of its own that never stops: each leader brings the one it runs in.
    this.disk = new SimDisk(this.random, { later: (fn) => this.time.after(0, fn) });
    this.outboxes = new SimOutboxes(this.random, this.disk, (pid) => this.#processes[pid]?.alive === true);
    this.outboxMemory = this.random.chance(0.5) ? 1 + this.random.below(8) : undefined;
    this.durability = this.random.chance(0.75) ? 'sync' : 'process';
    this.settings = this.random.chance(0.2) ? { pairHardMark: 4, relayMaxMessages: 60 } : {};
    this.compacts = this.random.chance(0.4);
    const { tell } = options;
    this.trace = tell && ((text) => tell(`${this.time.now.toFixed(3).padStart(12)} ${text}`));
    this.witness = new Witness(this.trace);
  }

  newProcess(): SimProcess {
    const born = new SimProcess(this.#processes.length, this.time, this.random, this.wall);
    this.#processes.push(born);
    return born;
  }

  unlucky(probability: number): boolean {
    return this.faulty && this.random.chance(probability);
  }

  /** A log that is only seen with the trace. */
  log(who: string): Log {
    const { tell } = this.options;
    if (tell === undefined) return silentLog;
    const line = (event: string, fields?: object) =>
      tell(`${' '.repeat(13)}${who}: ${event} ${JSON.stringify(fields ?? {}, plain).slice(0, 300)}`);
    const log: Log = { debug: () => {}, info: line, warn: line, error: line, child: () => log };
    return log;
  }
}

const plain = (_key: string, value: unknown): unknown =>
  value instanceof Error ? `${value.name}: ${value.message}` : value;
