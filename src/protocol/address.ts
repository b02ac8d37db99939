/** Names of agents, targets and namespaces. docs/protocol.md §Names (P9, P17, P19). */

const NAME = /^[A-Za-z0-9_.-]{1,64}$/;
const NAMESPACE = /^[a-z0-9][a-z0-9_-]{0,31}$/;

/** The person's name on the relay: what the CLI outside an agent speaks as (P10). */
export const USER_NAME = 'user';

/** The relay's own name: the sender of its notices (P18). */
export const SYSTEM_NAME = 'system';

/** Names no agent may take (P9). */
export const RESERVED_NAMES: ReadonlySet<string> = new Set([
  USER_NAME,
  'human',
  SYSTEM_NAME,
  'daemon',
  'relay',
]);

/** The target of a broadcast. */
export const BROADCAST = '*';

/** The topic of a message that names none (P11). */
export const DEFAULT_TOPIC = 'default';

/** Well-formed, reserved or not: what a message may be addressed to. */
export const isName = (name: string): boolean => NAME.test(name) && name !== '.' && name !== '..';

/** A name an agent may take. */
export const isAgentName = (name: string): boolean => isName(name) && !RESERVED_NAMES.has(name.toLowerCase());

export const isNamespace = (namespace: string): boolean => NAMESPACE.test(namespace);

/** A command's basename made into a name an agent may take: the prefix of `<agent>-<n>`. */
export function namePrefix(basename: string): string {
  const cleaned = basename
    .replace(/[^A-Za-z0-9_.-]+/g, '-')
    .replace(/^[-.]+|[-.]+$/g, '')
    .slice(0, 48);
  return cleaned === '' ? 'agent' : cleaned;
}
