/**
 * One seed, one history: agents talk while processes die and stop, connections break, the disk fills up
 * and fails, clocks jump and the power goes; then all that ends, and everything must come to rest.
 */

import { CLAIM_MS } from '../../src/protocol/limits.ts';
import { type Manner, SimAgent } from './sim-agent.ts';
import { audit } from './sim-audit.ts';
import { leaderOf } from './sim-ground.ts';
import { SimMachine, type SimOptions } from './sim-machine.ts';
import { checkMemory } from './sim-memory.ts';
import { SimPerson } from './sim-person.ts';
import { SimReader } from './sim-reader.ts';
import { SimSpecClient } from './sim-spec-client.ts';

export interface SimResult {
  seed: number;
  violations: readonly string[];
  /** Of when everything happened: the same seed gives the same. */
  hash: string;
  messages: number;
  /** Milliseconds that passed in the simulation. */
  elapsed: number;
}

const NAMES = ['ann', 'bob', 'cid', 'dot'];

/** The share of histories that end with a look at all that is kept: it takes as long as ten others. */
const LINGERING = 1 / 16;

/** Milliseconds of peace in which everything must have come to rest: the longest is the brake's minute. */
const PEACE_MS = 10 * 60_000;

/** Milliseconds in which everybody must be connected while one process stays stopped (P20): relay-connect is limited by the minute. */
const REPLACED_MS = 3 * 60_000;

/** Milliseconds in which the daemon has noticed that a connection is dead (P2). */
const FORGOTTEN_MS = 30_000;

/** Milliseconds in which the relay has swept out what was a minute ago: twice its round. */
const SWEPT_MS = 130_000;

/** Milliseconds in which a healthy disk has what it was given. */
const SETTLED_MS = 2_000;

export async function simulate(options: SimOptions): Promise<SimResult> {
  const world = new SimWorld(options);
  const { stackTraceLimit } = Error;
  // Refusals are errors, and nobody reads where they were made.
  if (options.tell === undefined) Error.stackTraceLimit = 0;
  try {
    await world.run();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
  const { machine } = world;
  return {
    seed: options.seed,
    violations: machine.witness.violations,
    hash: machine.time.hash,
    messages: machine.witness.messages.size,
    elapsed: machine.time.now,
  };
}

class SimWorld {
  readonly machine: SimMachine;
  readonly #manners: Manner[];
  readonly #agents = new Map<string, SimAgent>();
  /** They have said goodbye, and their processes have not ended yet. */
  readonly #leaving = new Set<SimAgent>();
  /** It stays at rest for a while, and its memory is looked at. */
  readonly #lingers: boolean;
  readonly #lives = new Map<string, number>();
  /** They never come back: what is for them waits. */
  readonly #gone = new Set<string>();
  readonly #readers: SimReader[] = [];
  #spec: SimSpecClient | undefined;
  readonly #person: SimPerson;
  /** What may happen in this history, by weight: few kinds at a time find more than all together. */
  readonly #acts: { weight: number; act: () => void }[];
  #count = 0;
  /** The wall clock's highest offset there was. */
  #furthest = 0;

  constructor(options: SimOptions) {
    this.machine = new SimMachine(options);
    this.#person = new SimPerson(this.machine);
    const { random, network } = this.machine;
    this.#lingers = random.chance(LINGERING);
    network.slowness = random.chance(0.2) ? 200 : 2;
    const defers = random.chance(0.3) ? 0.15 : 0;
    this.#manners = NAMES.slice(0, 2 + random.below(3)).map((name) => ({
      name,
      injects: random.chance(0.4),
      maxInflight: 1 + random.below(random.chance(0.5) ? 3 : 16),
      topics: random.chance(0.5) ? ['news'] : [],
      slowness: random.chance(0.2) ? 3_000 : 20,
      refuses: random.chance(0.2) ? 0.1 : 0,
      defers,
    }));
    const faults: [number, () => void][] = [
      [3, () => this.#kill()],
      [2, () => this.#stop()],
      [2, () => this.#leave()],
      [1, () => this.#suspend()],
      [3, () => network.cut()],
      [2, () => this.#powerCut()],
      [2, () => this.#jump()],
      [2, () => this.#fill()],
      [1, () => this.#fail()],
      [1, () => this.#sweep()],
      [1, () => this.#person.hold(this.#manners[random.below(this.#manners.length)]?.name ?? '')],
      [3, () => void this.#person.tidy()],
      [3, () => this.#spec?.fuss()],
      [1, () => this.#leaveForGood()],
    ];
    this.#acts = faults
      .filter(() => random.chance(0.5))
      .map(([weight, act]) => ({ weight, act }))
      .concat([{ weight: 12, act: () => this.#say() }]);
  }

  async run(): Promise<void> {
    const { random, witness } = this.machine;
    for (const { name } of this.#manners) this.#come(name);
    if (random.chance(0.3)) this.#readers.push(new SimReader(this.machine, 'user'));
    if (random.chance(0.2)) this.#readers.push(new SimReader(this.machine, 'pol'));
    if (random.chance(0.3)) this.#spec = new SimSpecClient(this.machine, 'eve');
    for (let left = 8 + random.below(16); left > 0 && witness.violations.length === 0; left -= 1) {
      await this.#pass(this.#gap());
      this.#act();
    }
    if (witness.violations.length > 0) return;
    await this.#rest();
    // The last ends are known before they are stored.
    await this.#pass(SETTLED_MS);
    witness.rested(this.machine.directory.highest);
    if (witness.violations.length > 0) return;
    if (this.#lingers) await this.#linger();
    for (const agent of [...this.#agents.values(), ...this.#leaving]) agent.process.kill();
    for (const other of [...this.#readers, this.#spec]) other?.close();
    const lifeOf = (name: string) => this.#agents.get(name)?.life;
    await audit(this.machine, { gone: this.#gone, lifeOf });
  }

  #gap(): number {
    const { random } = this.machine;
    const roll = random.next();
    if (roll < 0.6) return random.next() * 10;
    return roll < 0.92 ? random.next() * 500 : random.next() * 8_000;
  }

  #act(): void {
    const { random } = this.machine;
    let roll = random.below(this.#acts.reduce((sum, { weight }) => sum + weight, 0));
    for (const { weight, act } of this.#acts) {
      roll -= weight;
      if (roll < 0) return act();
    }
  }

  async #pass(ms: number): Promise<void> {
    const { time, witness } = this.machine;
    const end = time.now + ms;
    let over = false;
    time.after(ms, () => {
      over = true;
    });
    while (!over && time.now <= end && witness.violations.length === 0) await time.step();
  }

  async #until(done: () => boolean, ms: number): Promise<boolean> {
    const { time, witness } = this.machine;
    const end = time.now + ms;
    while (!done() && time.now < end && witness.violations.length === 0) await time.step();
    return done();
  }

  // ── What happens ──────────────────────────────────────────────────────────────────────────────────────

  #come(name: string): void {
    const manner = this.#manners.find((each) => each.name === name) as Manner;
    const life = (this.#lives.get(name) ?? 0) + 1;
    this.#lives.set(name, life);
    this.machine.trace?.(`${name}.${life} comes`);
    this.#agents.set(name, new SimAgent(this.machine, manner, life));
  }

  /** It is there again after a while. */
  #comeAgain(name: string): void {
    this.#agents.delete(name);
    const { random, time } = this.machine;
    time.after(random.next() * (random.chance(0.2) ? 20_000 : 500), () => this.#come(name));
  }

  #some(): SimAgent | undefined {
    const agents = [...this.#agents.values()];
    return agents[this.machine.random.below(agents.length)];
  }

  #say(): void {
    const { random } = this.machine;
    for (let left = 1 + random.below(4); left > 0; left -= 1) {
      const agent = this.#some();
      if (agent === undefined || agent.process.stopped || agent.client.state === 'closed') return;
      const others = this.#manners.filter(({ name }) => name !== agent.manner.name);
      const roll = random.next();
      const body = `m${++this.#count}`;
      const names = [...others, ...this.#readers, ...(this.#spec ? [this.#spec] : [])].map(
        ({ name }) => name,
      );
      const to = names[random.below(names.length)];
      if (this.#spec !== undefined && random.chance(0.15)) {
        this.#spec.send(body, agent.manner.name);
        continue;
      }
      const ttl = random.chance(0.1) ? 1 + random.below(20_000) : undefined;
      if (roll < 0.1) agent.send(body, '*', undefined, ttl);
      else if (roll < 0.2) agent.send(body, undefined, 'news', ttl);
      else if (roll < 0.23) agent.send(body, 'nobody', undefined, 1 + random.below(20_000));
      else agent.send(body, to, roll < 0.4 ? 'work' : undefined, ttl);
    }
  }

  #kill(): void {
    const agent = this.#some();
    if (agent === undefined) return;
    this.machine.trace?.(`${agent.manner.name}.${agent.life} is killed`);
    agent.kill();
    this.#comeAgain(agent.manner.name);
  }

  #stop(): void {
    const { random, time } = this.machine;
    const agent = this.#some();
    if (agent === undefined || agent.process.stopped) return;
    const ms = random.next() * (random.chance(0.5) ? 40_000 : 3_000);
    this.machine.trace?.(`${agent.manner.name}.${agent.life} is stopped for ${ms.toFixed()} ms`);
    agent.process.stop();
    time.after(ms, () => this.#goOn(agent));
  }

  #goOn(agent: SimAgent): void {
    if (!agent.process.alive || !agent.process.stopped) return;
    this.machine.trace?.(`${agent.manner.name}.${agent.life} goes on`);
    agent.process.goOn();
  }

  #leaveForGood(): void {
    const agent = this.#some();
    if (agent === undefined || agent.process.stopped || this.#gone.size > 0) return;
    // What is for it would fill queue or outbox for ever.
    if (this.machine.settings.pairHardMark !== undefined || this.machine.outboxMemory !== undefined) return;
    this.#gone.add(agent.manner.name);
    this.#goodbye(agent);
  }

  #leave(): void {
    const agent = this.#some();
    if (agent === undefined || agent.process.stopped) return;
    this.#goodbye(agent);
  }

  /** Leaves in order, and its process ends after that. */
  #goodbye(agent: SimAgent): void {
    const { name } = agent.manner;
    this.machine.trace?.(`${name}.${agent.life} leaves`);
    this.#agents.delete(name);
    this.#leaving.add(agent);
    agent.process.whenDead(() => {
      this.machine.trace?.(`${name}.${agent.life} is gone`);
      this.#leaving.delete(agent);
      if (!this.#gone.has(name)) this.#comeAgain(name);
    });
    void agent.leave().then(() => agent.process.kill());
  }

  #suspend(): void {
    const { random, time } = this.machine;
    const agent = this.#some();
    if (agent === undefined || agent.process.stopped) return;
    this.machine.trace?.(`${agent.manner.name}.${agent.life} suspends`);
    void agent.client.suspend().then(() => {
      agent.process.stop();
      time.after(random.next() * 10_000, () => {
        this.#goOn(agent);
        if (agent.process.alive) agent.process.soon(0, () => agent.client.resume());
      });
    });
  }

  #powerCut(): void {
    const { disk, outboxes, directory, durability, random, trace, witness } = this.machine;
    if (durability !== 'sync') return;
    trace?.('the power goes');
    for (const agent of [...this.#agents.values()]) {
      agent.process.kill();
      this.#comeAgain(agent.manner.name);
    }
    for (const agent of [...this.#leaving]) agent.process.kill();
    disk.powerCut();
    outboxes.powerCut();
    witness.powerCut();
    if (random.chance(0.3)) directory.sweep();
  }

  /** Somebody tidies up the directory under a leader that lives. */
  #sweep(): void {
    this.machine.trace?.('the sockets are swept away');
    this.machine.directory.sweep();
  }

  #jump(): void {
    const { random, wall, trace } = this.machine;
    const ms = Math.round((random.next() - 0.3) * (random.chance(0.2) ? 3_600_000 : 60_000));
    trace?.(`the clock jumps by ${ms} ms`);
    wall.offset += ms;
    this.machine.witness.clockJumped = true;
    this.#furthest = Math.max(this.#furthest, wall.offset);
  }

  #fill(): void {
    const { disk, random, time, trace } = this.machine;
    disk.free = random.below(2_000);
    this.machine.fullOnce = true;
    trace?.(`the disk has ${disk.free} bytes left`);
    time.after(random.next() * 3_000, () => {
      disk.free = Number.POSITIVE_INFINITY;
      trace?.('the disk has room again');
    });
  }

  #fail(): void {
    const { disk, outboxes, random, trace } = this.machine;
    if (random.chance(0.4)) disk.failingSyncs = 1;
    else if (random.chance(0.5)) disk.failingWrites = 1;
    else outboxes.failingWrites = 1 + random.below(3);
    this.machine.fullOnce = true;
    trace?.('the disk fails once');
  }

  // ── Peace ─────────────────────────────────────────────────────────────────────────────────────────────

  async #rest(): Promise<void> {
    const { disk, outboxes, random, witness, network } = this.machine;
    this.machine.trace?.('peace');
    this.machine.faulty = false;
    disk.free = Number.POSITIVE_INFINITY;
    disk.failingSyncs = 0;
    disk.failingWrites = 0;
    outboxes.failingWrites = 0;
    network.slowness = 2;
    for (const agent of this.#agents.values()) this.#goOn(agent);
    const asleep = random.chance(0.1) ? this.#some() : undefined;
    if (asleep !== undefined) {
      asleep.process.stop();
      this.machine.trace?.(`${asleep.manner.name} sleeps on`);
      const others = () => [...this.#agents.values()].filter((agent) => agent !== asleep);
      if (!(await this.#until(() => others().every(isReady), REPLACED_MS))) {
        witness.violated(`not ready while ${asleep.manner.name} sleeps: ${others().map(describe)}`);
      }
      this.#goOn(asleep);
    }
    if (!(await this.#until(() => this.#everybody().every(isReady), PEACE_MS))) {
      return witness.violated(`not ready in peace: ${this.#everybody().map(describe)}`);
    }
    // Times that were promised by the wall clock come.
    this.machine.wall.offset = this.#furthest;
    if (!this.#readers.some(({ name }) => name === 'user')) {
      this.#readers.push(new SimReader(this.machine, 'user'));
    }
    // What was given back goes to the next session.
    for (const agent of this.#everybody()) if (agent.gaveBack) this.#goodbye(agent);
    if (!(await this.#until(() => this.#drained(), PEACE_MS))) {
      witness.violated(
        `not at rest in peace: ${this.#everybody().map(describe)}, waiting ${this.#waiting()}, left ${this.machine.outboxes.left}`,
      );
    }
    // How much may wait for somebody who is gone, only the audit knows: a claim and a hold last a minute.
    if (this.#gone.size > 0) await this.#pass(2 * CLAIM_MS);
    const left = () => leaderOf(this.machine)?.daemon?.connections ?? 0;
    if (!(await this.#until(() => left() <= this.#manners.length + 1, FORGOTTEN_MS))) {
      witness.violated(`${left()} connections are left`);
    }
  }

  #everybody(): SimAgent[] {
    return this.#manners
      .filter(({ name }) => !this.#gone.has(name))
      .map(({ name }) => this.#agents.get(name))
      .filter((agent): agent is SimAgent => agent !== undefined);
  }

  #drained(): boolean {
    const all = this.#everybody();
    if (all.length < this.#manners.length - this.#gone.size || !this.#person.content) return false;
    if (this.#spec?.content === false) return false;
    const owed = (agent: SimAgent) => agent.client.unended - this.#owed(agent);
    if (!all.every((agent) => isReady(agent) && owed(agent) <= 0)) return false;
    // What earlier lives left counts as unended once it is found.
    if (this.machine.outboxes.left.length > 0) return false;
    return this.#gone.size > 0 || this.#waiting() === 0;
  }

  /** What is left when the relay has had its minute to forget. */
  async #linger(): Promise<void> {
    await this.#pass(SWEPT_MS);
    checkMemory(this.machine, this.#everybody(), {
      names: this.#manners.length + this.#readers.length + (this.#spec ? 1 : 0) + 2,
      connections: this.#everybody().length + (this.#spec ? 1 : 0),
      gone: this.#gone.size,
      waiting: Number(this.#waiting()),
      messages: this.machine.witness.messages.size * 3,
      sessions: this.#count + 40,
      segments: this.machine.disk.names.length,
    });
  }

  /** Messages of one sender that may wait for somebody who is gone. */
  #owed(sender: SimAgent): number {
    let count = 0;
    if (this.#gone.size === 0) return 0;
    for (const { promised, failed, from } of this.machine.witness.messages.values()) {
      if (from !== sender.manner.name) continue;
      const waits = (to: string) => this.#gone.has(to) && !failed.has(to);
      if ([...(promised ?? [])].some(waits)) count += 1;
    }
    return count;
  }

  #waiting(): unknown {
    return leaderOf(this.machine)?.daemon?.health().waiting;
  }
}

const isReady = ({ client, process }: SimAgent): boolean =>
  process.alive && (client.state === 'ready' || client.state === 'closed');

const describe = ({ manner, life, client }: SimAgent): string =>
  `${manner.name}.${life} ${client.state} with ${client.unended} unended`;
