/** Commands that show or change what belongs to others are the person's: refused to every token (P10, P22). */
import { RelayError } from '../../base/errors.ts';
import type { Caller } from '../caller.ts';

/** Throws FORBIDDEN. */
export function requirePerson(caller: Caller): void {
  if (caller.kind === 'user') return;
  throw new RelayError('FORBIDDEN', `this is for the person, not for ${caller.name}`);
}
