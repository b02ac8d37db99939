/**
 * The answer of a command that somebody else runs: checked before anything is believed of it.
 * Checklist 12: an envelope is asked for; a bare HandoffResult is refused, as AFD's own clients do not
 * send one and a caller could not tell it from a failure.
 */
import * as z from 'zod';
import { ERRORS, isErrorCode, RelayError } from '../base/errors.ts';
import {
  type CommandFailure,
  type CommandResult,
  failure,
  isFailure,
  type ResultOptions,
  success,
} from './result.ts';

const Shared = {
  reasoning: z.string().optional(),
  suggestions: z.array(z.string()).optional(),
  metadata: z.record(z.string(), z.unknown()).optional(),
  _agentHints: z.record(z.string(), z.unknown()).optional(),
};

const EnvelopeSchema = z.discriminatedUnion('success', [
  z.object({ success: z.literal(true), data: z.unknown(), ...Shared }),
  z.object({
    success: z.literal(false),
    error: z.object({
      code: z.string(),
      message: z.string(),
      suggestion: z.string().optional(),
      retryable: z.boolean().optional(),
      details: z.record(z.string(), z.unknown()).optional(),
    }),
    ...Shared,
  }),
]);

/**
 * A CommandResult whose `data` fits `output`.
 * @throws RelayError BAD_RESULT when it is no envelope, or when `data` does not fit.
 */
export function parseResult<O extends z.ZodType>(output: O, value: unknown): CommandResult<z.output<O>> {
  const envelope = EnvelopeSchema.safeParse(value);
  if (!envelope.success) throw badResult('the answer is not a CommandResult', envelope.error);
  const result = envelope.data;
  if (!result.success) {
    const { code, message, suggestion, retryable, details } = result.error;
    const parts = {
      code,
      message,
      ...(suggestion === undefined ? {} : { suggestion }),
      ...(details === undefined ? {} : { details }),
      // Not said, by a server whose codes we do not know: trying again does no harm.
      retryable: retryable ?? (isErrorCode(code) ? ERRORS[code].retryable : true),
    };
    return failure(parts, optionsOf(result));
  }
  const data = output.safeParse(result.data);
  if (!data.success) throw badResult('the answer has other data than the command promises', data.error);
  return success(data.data, optionsOf(result));
}

/** The data of a success. @throws RelayError what `errorFrom` makes of a failure. */
export function unwrap<T>(result: CommandResult<T>): T {
  if (isFailure(result)) throw errorFrom(result);
  return result.data;
}

/** A failure as an error: with its own code, where that is one of ours. */
export function errorFrom({ error }: CommandFailure): RelayError {
  const { code, message, suggestion, retryable, details } = error;
  if (isErrorCode(code)) {
    return new RelayError(code, message, { suggestion, retryable, ...(details ? { details } : {}) });
  }
  return new RelayError('COMMAND_EXECUTION_ERROR', `${code}: ${message}`, {
    suggestion,
    retryable,
    details: { ...details, code },
  });
}

function optionsOf({ reasoning, suggestions, metadata, _agentHints }: z.infer<typeof EnvelopeSchema>) {
  const hints = _agentHints === undefined ? {} : { agentHints: _agentHints };
  const options: ResultOptions = {};
  if (reasoning !== undefined) options.reasoning = reasoning;
  if (suggestions !== undefined) options.suggestions = suggestions;
  if (metadata !== undefined || _agentHints !== undefined) options.metadata = { ...hints, ...metadata };
  return options;
}

/** Only paths and reasons: the answer may hold a token. */
function badResult(what: string, { issues }: z.ZodError): RelayError {
  const [first] = issues;
  const where = first && first.path.length > 0 ? ` at ${first.path.map(String).join('.')}` : '';
  return new RelayError('BAD_RESULT', `${what}${where}: ${first?.message}`);
}
