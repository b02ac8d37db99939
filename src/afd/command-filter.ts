/** Which commands a listing shows: by tag, by way in, by what the asker can consume. Checklist 5. */
import { type DeclaredCommand, getHandoffProtocol, isExposed, isHandoffCommand } from './command.ts';
import type { CommandInterface } from './context.ts';

export interface CommandFilter {
  /** Every one of these tags. */
  all?: readonly string[];
  /** At least one of these tags. */
  any?: readonly string[];
  /** None of these tags. */
  exclude?: readonly string[];
  category?: string;
  /** Offered on this way in. */
  interface?: CommandInterface;
  /** Handoff protocols the asker can consume: handoffs to others are left out. */
  consume?: readonly string[];
}

/** True when the command passes every condition the filter names. */
export function matches(command: DeclaredCommand, filter: CommandFilter): boolean {
  const has = (tag: string) => command.tags.includes(tag);
  if (filter.all && !filter.all.every(has)) return false;
  if (filter.any && !filter.any.some(has)) return false;
  if (filter.exclude?.some(has)) return false;
  if (filter.category !== undefined && command.category !== filter.category) return false;
  if (filter.interface !== undefined && !isExposed(command, filter.interface)) return false;
  return filter.consume === undefined || consumable(command, filter.consume);
}

function consumable(command: DeclaredCommand, protocols: readonly string[]): boolean {
  if (!isHandoffCommand(command)) return true;
  const protocol = getHandoffProtocol(command);
  return protocol !== undefined && protocols.includes(protocol);
}
