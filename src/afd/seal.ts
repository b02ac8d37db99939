/** The last step of every call: whatever a handler answered leaves as a complete CommandResult. Checklist 6–8. */
import { RelayError } from '../base/errors.ts';
import type { DeclaredCommand } from './command.ts';
import {
  type CommandResult,
  error,
  failure,
  isFailure,
  isSuccess,
  type ResultMetadata,
  withAgentHints,
} from './result.ts';

const CODE = /^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$/;

/** What a caller learns of a fault inside: no message, no stack; the log has them, by trace id. */
export const internalFailure = (): CommandResult<never> =>
  error('COMMAND_EXECUTION_ERROR', 'An internal error occurred');

/**
 * The result with everything a reader may rely on: reasoning on success, suggestion and retryable on
 * failure, hints in both places, and the metadata of this call.
 * @throws RelayError INTERNAL when it is no CommandResult at all.
 */
export function seal(
  result: CommandResult,
  command: DeclaredCommand,
  metadata: ResultMetadata,
): CommandResult {
  const complete = completed(result, command);
  const merged = { ...complete.metadata, ...metadata };
  const hints = complete.metadata?.agentHints ?? complete._agentHints;
  const sealed = { ...complete, metadata: merged };
  return hints === undefined ? sealed : withAgentHints(sealed, hints);
}

function completed(result: CommandResult, command: DeclaredCommand): CommandResult {
  if (typeof result !== 'object' || result === null) {
    throw new RelayError('INTERNAL', `${command.name} answered ${typeof result}`);
  }
  if (isSuccess(result)) return { ...result, reasoning: result.reasoning || command.description };
  if (isFailure(result) && CODE.test(result.error.code)) {
    const { success: _, data: __, error: parts, ...options } = result;
    return failure(parts, options);
  }
  throw new RelayError('INTERNAL', `${command.name} answered neither a success nor a failure with a code`);
}
