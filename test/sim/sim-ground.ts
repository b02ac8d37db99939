/**
 * The simulated machine under src/daemon/host.ts and src/wrap/attach.ts: its directory, sockets and disk, as
 * one process of it has them. Election, fence, healing and handover are the production code.
 */
import { join } from 'node:path';
import type { CommandResult } from '../../src/afd/result.ts';
import { RelayError } from '../../src/base/errors.ts';
import type { Attachment } from '../../src/client/attachment.ts';
import type { Ground } from '../../src/daemon/ground.ts';
import { Host } from '../../src/daemon/host.ts';
import { inspectHost, renewHost } from '../../src/daemon/host-file.ts';
import { inspectFiles, type StorePlace } from '../../src/daemon/store/open.ts';
import { SegmentLog } from '../../src/daemon/store/segment-log.ts';
import type { StoreFigures } from '../../src/daemon/store/store.ts';
import type { Link } from '../../src/transport/link.ts';
import {
  listEpochs,
  NEW_MS,
  type Probe,
  probe,
  SILENCE_MS,
  socketName,
  YOUNG_MS,
} from '../../src/transport/relay-sockets.ts';
import { attachIn, type Reach } from '../../src/wrap/attach.ts';
import { mistakenFence, mistakenFiles, mistakenSocketFiles, mistakeStore } from './mistakes.ts';
import { DIRECTORY } from './sim-directory.ts';
import { SimListener } from './sim-listener.ts';
import type { SimMachine } from './sim-machine.ts';
import type { SimProcess } from './sim-process.ts';

/** A log that seems so much longer than it is: the daemon compacts it after a few records. */
class LongLog extends SegmentLog {
  override get figures(): StoreFigures {
    const { bytes, ...figures } = super.figures;
    return { ...figures, bytes: bytes * 20_000 };
  }
}

/** Finds the leader or becomes it. */
export function simAttach(machine: SimMachine, process: SimProcess): Promise<Attachment> {
  const options = {
    namespace: 'sim',
    mayLead: true,
    clock: process.clock,
    log: machine.log('host'),
    settings: machine.settings,
    durability: machine.durability,
    ground: ground(machine, process),
  };
  return attachIn(DIRECTORY, options, reach(machine, process));
}

function ground(machine: SimMachine, process: SimProcess): Ground {
  const { directory, disk, random, options } = machine;
  return {
    files: mistakenSocketFiles(directory.files, options.mistake),
    random: (count) => {
      const bytes = Buffer.allocUnsafe(count);
      for (let at = 0; at < count; at += 4) bytes.writeInt32LE(random.below(2 ** 32) | 0, at);
      return bytes;
    },
    listener: () => new SimListener(machine, process),
    inspectHost: (path, now) => inspectHost(path, now, () => directory.hostFile),
    renewHost: (path, now, empty) =>
      renewHost(path, now, empty, (_path, text) => {
        directory.hostFile = text;
      }),
    inspectStore: () => inspectFiles(disk.files(process)),
    openStore: (place) => openStore(machine, process, place),
    audit: () => () => {},
  };
}

function openStore(machine: SimMachine, process: SimProcess, { epoch, fence }: StorePlace): SegmentLog {
  const { witness, directory, disk, options, random } = machine;
  let recovering = true;
  const store = new (machine.compacts ? LongLog : SegmentLog)({
    files: mistakenFiles(disk.files(process), options.mistake, () => recovering),
    epoch,
    fence: mistakenFence(fence, options.mistake),
    clock: process.clock,
    log: machine.log(`store ${epoch}`),
    durability: machine.durability,
    limits: { segmentBytes: 3_000, groupBytes: 2_000, spareBytes: 4_000 },
    soon: (fn) => process.soon(0, fn),
    marker: () => 1 + random.below(0xffffffff),
  });
  mistakeStore(store, options.mistake);
  const recover = store.recover.bind(store);
  store.recover = async function* () {
    yield* recover();
    recovering = false;
    witness.recovered(epoch, directory.highest);
  };
  return store;
}

function reach(machine: SimMachine, process: SimProcess): Reach {
  return {
    epochs: () => listEpochs(DIRECTORY, machine.directory.files.list),
    meet: (path) => meet(machine, process, path),
    probe: (path, clock) => probe(path, clock, () => ask(machine, process, path)),
    join: (directory, path, epoch, met) =>
      clientAttachment(machine, process, { directory, path, epoch, met }),
    load: async () => ({ Host }),
    prepare: async () => {},
  };
}

/** As relay-sockets.ts does it. */
async function meet(machine: SimMachine, process: SimProcess, path: string): Promise<Link | undefined> {
  const made = machine.directory.files.lstat(path)?.mtimeMs ?? Number.NaN;
  if (!(Math.abs(process.clock.now() - made) < NEW_MS)) return undefined;
  return connect(machine, process, path).catch(() => undefined);
}

/** GET /health, as relay-sockets.ts asks for it. */
async function ask(machine: SimMachine, process: SimProcess, path: string): Promise<Probe> {
  const silent = (): Probe => {
    const made = machine.directory.files.lstat(path)?.mtimeMs;
    if (made === undefined) return { state: 'gone' };
    return { state: 'silent', young: Math.abs(process.clock.now() - made) < YOUNG_MS };
  };
  const late = process.sleep(SILENCE_MS).then(silent);
  const answer = request(machine, process, path, async ({ daemon }) => {
    if (daemon === undefined) throw new RelayError('CONNECTION_LOST', 'simulated');
    return daemon.health().epoch as number;
  });
  return Promise.race([
    late,
    answer.then(
      (epoch): Probe => ({ state: 'alive', epoch }),
      (error: unknown): Probe => {
        const { code, message } = RelayError.from(error);
        if (code !== 'DAEMON_UNREACHABLE') return silent();
        return { state: message === 'ENOENT' ? 'gone' : 'refused' };
      },
    ),
  ]);
}

/** A request to whoever listens at `path`, and its answer: each may be late, or lost with the connection. */
function request<T>(
  machine: SimMachine,
  from: SimProcess,
  path: string,
  serve: (listener: SimListener) => Promise<T>,
): Promise<T> {
  const { network } = machine;
  return new Promise((resolve, reject) => {
    const fail = (code: 'DAEMON_UNREACHABLE' | 'CONNECTION_LOST', why: string) =>
      from.soon(network.delay(), () => reject(new RelayError(code, why)));
    from.soon(network.delay(), () => {
      const listener = listenerAt(machine, path);
      if (listener === undefined) return fail('DAEMON_UNREACHABLE', 'ENOENT');
      if (!listener.listening) return fail('DAEMON_UNREACHABLE', 'ECONNREFUSED');
      const done = listener.process.whenDead(() => fail('CONNECTION_LOST', 'it died'));
      listener.process.soon(network.delay(), () => {
        if (!listener.listening || machine.unlucky(0.03)) return fail('CONNECTION_LOST', 'simulated');
        serve(listener).then(
          (answer) => {
            done();
            if (machine.unlucky(0.03)) fail('CONNECTION_LOST', 'simulated');
            else from.soon(network.delay(), () => resolve(answer));
          },
          () => fail('CONNECTION_LOST', 'simulated'),
        );
      });
    });
  });
}

function listenerAt({ directory }: SimMachine, path: string): SimListener | undefined {
  try {
    return directory.at(path);
  } catch {
    return undefined;
  }
}

function clientAttachment(
  machine: SimMachine,
  process: SimProcess,
  { directory, path, epoch, met }: { directory: string; path: string; epoch: number; met: Link | undefined },
): Attachment {
  let first = met;
  const taken = () => {
    const link = first;
    first = undefined;
    return link;
  };
  return {
    role: 'client',
    leading: false,
    directory,
    epoch,
    endpoint: `unix://${path}`,
    call: (command, input, { token } = {}) =>
      request(machine, process, path, (listener) => listener.execute(command, input, token)),
    open: async () => taken() ?? connect(machine, process, path),
    async close() {
      taken()?.destroy();
    },
  };
}

async function connect(machine: SimMachine, process: SimProcess, path: string): Promise<Link> {
  const { network } = machine;
  await process.sleep(network.delay());
  const listener = listenerAt(machine, path);
  if (!listener?.listening) throw new RelayError('DAEMON_UNREACHABLE', 'simulated');
  const [ours, theirs] = network.connect(process, listener.process);
  const { over } = listener.connected(theirs);
  theirs.whenClosed(over);
  listener.process.soon(network.delay(), () => listener.accept(theirs));
  return ours;
}

const leaderPath = ({ directory }: SimMachine): string => join(DIRECTORY, socketName(directory.highest));

/** A connection of somebody who knows only `relay.sock`. */
export const openToLeader = (machine: SimMachine, process: SimProcess): Promise<Link> =>
  connect(machine, process, leaderPath(machine));

/** A command of somebody without a connection. Rejects when no answer comes. */
export const callLeader = (
  machine: SimMachine,
  process: SimProcess,
  command: string,
  input: unknown,
  token: string | undefined,
): Promise<CommandResult> =>
  request(machine, process, leaderPath(machine), (listener) => listener.execute(command, input, token));

/** The listener of the leader, as the directory has it now. */
export const leaderOf = (machine: SimMachine): SimListener | undefined =>
  listenerAt(machine, leaderPath(machine));
