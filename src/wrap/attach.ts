/**
 * Finds the relay of a namespace, or becomes it. The daemon's code is loaded only by the one that must
 * lead. architecture.md "Leadership and the store" (P19, P20).
 */
import { lstatSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { renderEndpoint } from '../afd/endpoint.ts';
import type { Clock } from '../base/clock.ts';
import { RelayError, systemCode } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { directoryEnvironment, prepareDirectory, relayDirectories } from '../base/paths.ts';
import type { Attachment } from '../client/attachment.ts';
import type { Host, HostOptions } from '../daemon/host.ts';
import { isNamespace } from '../protocol/address.ts';
import type { Link } from '../transport/link.ts';
import { listEpochs, meet, type Probe, probe, socketName } from '../transport/relay-sockets.ts';
import { clientAttachment, leaderAttachment } from './attachments.ts';

/** Milliseconds after joining, when the agent has started and nobody waits for us. */
export const PREPARE_MS = 2_000;

/** Milliseconds between two looks at a leader that is too young to be deposed. */
const PATIENCE_MS = 250;

/** Milliseconds in which a leader that died or left is followed by another, where agents look for one. */
const TAKEOVER_MS = 1_000;
/** Milliseconds between two looks whether it is. */
const TAKEOVER_LOOK_MS = 50;

/** What a directory that was ours to write in says when it is so no more. */
const UNWRITABLE = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'EDQUOT']);

export interface AttachOptions {
  namespace: string;
  /** `--socket`: join what answers there; as leader, be reachable there as well. */
  socketPath?: string | undefined;
  env: Readonly<Record<string, string | undefined>>;
  /** False: only join, else DAEMON_UNREACHABLE. */
  mayLead: boolean;
  clock: Clock;
  log: Log;
  /** For the daemon, if we host it. */
  settings?: HostOptions['settings'];
  durability?: HostOptions['durability'];
  openStore?: HostOptions['openStore'];
}

/**
 * Joins the daemon that answers, or hosts one. Throws DAEMON_UNREACHABLE, DIRECTORY_UNSAFE,
 * SOCKET_IN_THE_WAY, FILE_UNWRITABLE, RELAY_ELSEWHERE when no place is left.
 */
export async function attach(options: AttachOptions): Promise<Attachment> {
  const { namespace, env, log } = options;
  if (!isNamespace(namespace)) {
    throw new RelayError('USAGE', `not a namespace: ${JSON.stringify(namespace)}`, {
      suggestion: 'use 1–32 of a-z 0-9 _ -, beginning with a letter or digit',
    });
  }
  const environment = directoryEnvironment(env);
  let refused: RelayError | undefined;
  for (const place of relayDirectories(namespace, environment)) {
    if (!prepareDirectory(place, environment.uid)) {
      log.info('attach.place-unusable', { directory: place.path });
      continue;
    }
    try {
      return await attachIn(place.path, options);
    } catch (thrown) {
      const error = RelayError.from(thrown);
      if (error.code !== 'RELAY_ELSEWHERE') throw error;
      log.warn('attach.elsewhere', { directory: place.path });
      refused = error;
    }
  }
  throw refused ?? new RelayError('DIRECTORY_UNSAFE', 'no directory for the relay can be made');
}

/** How a process sees the relay in a directory, and joins it: by this machine's sockets, unless simulated. */
export interface Reach {
  epochs(directory: string): number[];
  meet(path: string, clock: Clock): Promise<Link | undefined>;
  probe(path: string, clock: Clock): Promise<Probe>;
  join(directory: string, path: string, epoch: number, met: Link | undefined): Attachment;
  /** The daemon's code: needed only by the one that must lead. */
  load(): Promise<Pick<typeof import('../daemon/host.ts'), 'Host'>>;
  /** Loads it before it is needed, and runs it in once. */
  prepare(clock: Clock, log: Log): Promise<void>;
}

const REACH: Reach = {
  epochs: (directory) => listEpochs(directory),
  meet,
  probe,
  join: clientAttachment,
  load: () => import('../daemon/host.ts'),
  prepare,
};

/** As `attach`, in a directory that is there. */
export async function attachIn(
  directory: string,
  options: Omit<AttachOptions, 'env'> & Pick<HostOptions, 'ground'>,
  reach: Reach = REACH,
): Promise<Attachment> {
  const { clock, log, socketPath } = options;
  const began = clock.monotonic();
  const pause = (ms: number) => new Promise<void>((resolve) => void clock.after(ms, resolve));
  if (socketPath !== undefined) {
    const joined = await joinForeign(directory, socketPath, options);
    if (joined !== undefined) return joined;
  }
  for (;;) {
    const epoch = reach.epochs(directory).at(-1) ?? 0;
    if (epoch > 0) {
      const path = join(directory, socketName(epoch));
      // All the clients of a takeover come at once: none of them asks a leader, who has enough to do, what shows.
      const met = options.mayLead ? await reach.meet(path, clock) : undefined;
      const found: Probe = met === undefined ? await reach.probe(path, clock) : { state: 'alive', epoch };
      if (found.state === 'alive') {
        // Whoever may have to take over is ready for it by then.
        if (options.mayLead) clock.after(PREPARE_MS, () => void reach.prepare(clock, log), { unref: true });
        return reach.join(directory, path, epoch, met);
      }
      if (found.state === 'gone') continue;
      log.info('attach.leader-lost', { epoch, ...found });
      if (found.state === 'silent' && found.young) {
        await pause(PATIENCE_MS);
        continue;
      }
      if (
        !options.mayLead &&
        clock.monotonic() - began < TAKEOVER_MS &&
        (await isFollowed(directory, clock))
      ) {
        await pause(TAKEOVER_LOOK_MS);
        continue;
      }
    }
    if (!options.mayLead) {
      throw new RelayError('DAEMON_UNREACHABLE', `no relay daemon answers in ${directory}`);
    }
    const host = await stand(reach.load, { ...options, directory, above: epoch });
    if (host !== undefined) return leaderAttachment(directory, host);
  }
}

/** Whether agents that the last leader had may be about to elect the next. */
async function isFollowed(directory: string, clock: Clock): Promise<boolean> {
  const { inspectHost } = await import('../daemon/host-file.ts');
  return inspectHost(directory, clock.now()).tookOver;
}

let prepared: Promise<void> | undefined;

/** Once for each process: what was compiled stays. */
function prepare(clock: Clock, log: Log): Promise<void> {
  prepared ??= import('../daemon/rehearsal.ts')
    .then(({ rehearse }) => rehearse(clock))
    .catch((error) => log.warn('attach.rehearsal', { error }));
  return prepared;
}

/** P19: what lies at `--socket` and is not ours is joined if it lives, and left alone in any case. */
async function joinForeign(
  directory: string,
  socketPath: string,
  { clock, log }: Pick<AttachOptions, 'clock' | 'log'>,
): Promise<Attachment | undefined> {
  if (lstatSync(socketPath, { throwIfNoEntry: false }) === undefined) return undefined;
  const { isOurs } = await import('../daemon/leadership.ts');
  if (isOurs(socketPath, directory)) return undefined;
  const found = await probe(socketPath, clock);
  if (found.state !== 'alive') {
    throw new RelayError('SOCKET_IN_THE_WAY', `${socketPath} is not ours, and nobody answers there`);
  }
  log.info('attach.foreign', { socketPath, endpoint: renderEndpoint(socketPath) });
  return clientAttachment(dirname(socketPath), socketPath, found.epoch ?? 0);
}
/** Undefined: another was faster. */
async function stand(load: Reach['load'], options: HostOptions): Promise<Host | undefined> {
  const { Host } = await load();
  try {
    return await Host.stand(options);
  } catch (cause) {
    if (!UNWRITABLE.has(systemCode(cause) ?? '')) throw cause;
    throw new RelayError('FILE_UNWRITABLE', `nobody can host the relay: ${RelayError.from(cause).message}`, {
      suggestion: `make ${options.directory} writable, and free some space on its disk`,
      retryable: true,
      cause,
    });
  }
}
