/** Which relay a command means: flags, else what the wrapper around us says, else the default (P19). */
import { Option } from 'commander';
import { RelayError } from '../base/errors.ts';
import { isNamespace } from '../protocol/address.ts';

export const DURABILITIES = ['sync', 'process'] as const;

export interface PlaceOptions {
  namespace?: string;
  socket?: string;
}

export interface Place {
  namespace: string;
  socketPath: string | undefined;
}

/** `--namespace` and `--socket`, the same for every command that looks for a relay. */
export function placeOptions(): [namespace: Option, socket: Option] {
  return [
    new Option('--namespace <name>', 'which relay').argParser((value: string) => {
      if (isNamespace(value)) return value;
      throw new RelayError('USAGE', `--namespace takes 1–32 of a-z 0-9 _ -, not '${value}'`);
    }),
    new Option('--socket <path>', 'socket of the relay').argParser((value: string) => {
      if (value.trim() !== '') return value;
      throw new RelayError('USAGE', `--socket takes a path, not '${value}'`);
    }),
  ];
}

/** `--durability`: what a message survives that the relay, if we host it, has called stored (P20). */
export const durabilityOption = (): Option =>
  new Option('--durability <what>', 'what stored messages survive: a power cut (sync), or kill -9 (process)')
    .choices(DURABILITIES)
    .default('sync');

export function placeOf(options: PlaceOptions, env: Readonly<Record<string, string | undefined>>): Place {
  const inherited = env.AGENT_RELAY_NAMESPACE;
  const namespace =
    options.namespace ?? (inherited !== undefined && isNamespace(inherited) ? inherited : 'default');
  return { namespace, socketPath: options.socket };
}
