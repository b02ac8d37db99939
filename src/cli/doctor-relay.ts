/** `doctor`, the relay: settings, its directory (P19), who leads it, its store. */
import { accessSync, constants, existsSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { parseResult, unwrap } from '../afd/parse-result.ts';
import { systemClock } from '../base/clock.ts';
import { RelayError } from '../base/errors.ts';
import { silentLog } from '../base/log.ts';
import { directoryEnvironment, prepareDirectory, relayDirectories } from '../base/paths.ts';
import { VERSION } from '../base/version.ts';
import { checkStore } from '../daemon/store/check.ts';
import { diskFiles, STORE_DIRECTORY } from '../daemon/store/files.ts';
import { attach } from '../wrap/attach.ts';
import { configKeys } from './config-keys.ts';
import type { Found, Patient } from './doctor-finding.ts';
import { decideSettings } from './settings.ts';
import { command as wrapCommand } from './wrap.ts';

export async function checkSettings({ cwd, env }: Patient): Promise<Found[]> {
  const { files } = await decideSettings(configKeys(wrapCommand()), { cwd, env });
  const read = [files.project, files.user].filter((file) => file !== undefined);
  return [{ state: 'ok', text: read.length === 0 ? 'no configuration file' : read.join(', ') }];
}

export function checkDirectory(patient: Patient): Found[] {
  const environment = directoryEnvironment(patient.env);
  const places = relayDirectories(patient.namespace, environment);
  const index = places.findIndex((place) => prepareDirectory(place, environment.uid));
  const path = places[index]?.path;
  if (path === undefined) {
    throw new RelayError('DIRECTORY_UNSAFE', 'no directory for the relay can be made', {
      suggestion: 'set XDG_STATE_HOME to a local directory of your own',
    });
  }
  try {
    accessSync(path, constants.W_OK);
  } catch (cause) {
    throw new RelayError('FILE_UNWRITABLE', `nobody can host a relay: ${RelayError.from(cause).message}`, {
      suggestion: `make ${path} writable`,
    });
  }
  if (index === 0) return [{ state: 'ok', text: path }];
  const why = `${places[0]?.path} cannot be made, or lies on a network file system`;
  return [
    { state: 'note', text: `${path}, because ${why}`, advice: 'set XDG_STATE_HOME to a local directory' },
  ];
}

const Status = z.looseObject({
  epoch: z.number(),
  version: z.string(),
  metrics: z.record(z.string(), z.number()),
});

export async function checkLeader({ env, namespace }: Patient): Promise<Found[]> {
  try {
    const attachment = await attach({ namespace, env, mayLead: false, clock: systemClock, log: silentLog });
    const status = unwrap(parseResult(Status, await attachment.call('relay-status', {})));
    await attachment.close();
    const { connections = 0, waiting = 0 } = status.metrics;
    const text = `epoch ${status.epoch}, version ${status.version}, ${connections} connections, ${waiting} messages waiting`;
    if (status.version === VERSION) return [{ state: 'ok', text }];
    return [
      {
        state: 'note',
        text: `${text}; this is ${VERSION}`,
        advice: 'restart the older wrappers when it suits you',
      },
    ];
  } catch (thrown) {
    const error = RelayError.from(thrown);
    if (error.code !== 'DAEMON_UNREACHABLE') throw error;
    return [{ state: 'ok', text: 'none now: the first wrapper hosts the relay' }];
  }
}

export async function checkStoreOf(patient: Patient): Promise<Found[]> {
  const places = relayDirectories(patient.namespace, directoryEnvironment(patient.env));
  const directory = places.map(({ path }) => join(path, STORE_DIRECTORY)).find((path) => existsSync(path));
  if (directory === undefined) return [{ state: 'ok', text: 'none yet' }];
  const { damage, records, bytes } = await checkStore(diskFiles(directory, { make: false }));
  const text = `${directory}: ${records} records, ${bytes} bytes`;
  if (damage.length === 0) return [{ state: 'ok', text }];
  return [
    {
      state: 'problem',
      text: `${text}, ${damage.length} damaged places`,
      advice: 'run: agent-wrap store check',
    },
  ];
}
