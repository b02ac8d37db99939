/**
 * Regular expressions of a pairing file, run on what agents say. An expression may backtrack for hours on
 * a text made for it; each look is therefore given a deadline, which V8 keeps also within an expression.
 */
import { createContext, Script } from 'node:vm';
import { RelayError } from '../base/errors.ts';

/** As it stands in the file. */
export type Pattern = string | { pattern: string; flags?: string | undefined };

/** Milliseconds for one look at one text; a linear expression needs some for a text of 1 MB. */
const LOOK_MS = 250;

/** Throws a SyntaxError that says what is wrong with the expression. */
export function compilePattern(pattern: Pattern): RegExp {
  return typeof pattern === 'string' ? new RegExp(pattern) : new RegExp(pattern.pattern, pattern.flags);
}

const look = new Script('expression.test(text)');
const place = createContext({ expression: / /, text: '' });

/** Whether the expression matches somewhere in the text. Throws TIMEOUT after 250 ms. */
export function matchesPattern(expression: RegExp, text: string): boolean {
  place.expression = expression;
  place.text = text;
  try {
    return look.runInContext(place, { timeout: LOOK_MS }) as boolean;
  } catch (cause) {
    // Not by instanceof: the error belongs to the context that was interrupted.
    if ((cause as { code?: unknown }).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw cause;
    throw new RelayError(
      'TIMEOUT',
      `${expression} took more than ${LOOK_MS} ms on a text of ${text.length} characters`,
      {
        suggestion: 'simplify the expression: nested repetitions such as (a+)+ take exponential time',
        retryable: false,
        cause,
      },
    );
  } finally {
    place.text = '';
  }
}
