/**
 * One line of Gemini CLI's chat file → what we want of it. The file also holds the whole conversation again and
 * again (`$set`), tool calls, and what Gemini CLI says itself. Seen in 0.61.0. real-agents.md §5.
 */
import { type JsonRecord, parseRecord, recordsIn, stringIn } from './json-record.ts';

export type ChatLine =
  | { kind: 'session'; id: string; main: boolean }
  /** `at`: milliseconds since the epoch. */
  | { kind: 'speech'; id: string; at: number; text: string }
  | { kind: 'prompt'; id: string; at: number; text: string }
  /** It might be a message, and is not as we know it. */
  | { kind: 'strange'; reason: string }
  | { kind: 'other' };

const OTHER: ChatLine = { kind: 'other' };

/** Who speaks in a record; all but the first two are Gemini CLI itself. */
const TYPES = new Set<unknown>(['gemini', 'user', 'info', 'warning', 'error']);

const strange = (reason: string): ChatLine => ({ kind: 'strange', reason });

export function parseChatLine(line: string): ChatLine {
  const record = parseRecord(line);
  if (!record) return OTHER;
  const id = stringIn(record, 'id');
  const session = stringIn(record, 'sessionId');
  if (id === undefined) {
    if (record.type !== undefined) return strange('a record without an id');
    return session === undefined ? OTHER : { kind: 'session', id: session, main: record.kind !== 'subagent' };
  }
  if (!TYPES.has(record.type)) return strange('a record of an unknown type');
  const at = Date.parse(stringIn(record, 'timestamp') ?? '');
  if (Number.isNaN(at)) return strange('a record without a time');
  if (record.type === 'gemini') {
    const text = stringIn(record, 'content');
    if (text === undefined) return strange('a message of the model without text');
    return text === '' ? OTHER : { kind: 'speech', id, at, text };
  }
  const text = record.type === 'user' ? promptIn(record) : '';
  return text === '' ? OTHER : { kind: 'prompt', id, at, text };
}

/** What the person wrote; the results of tools are sent in their name too. */
function promptIn(record: JsonRecord): string {
  return (
    stringIn(record, 'content') ??
    recordsIn(record, 'content')
      .map((part) => stringIn(part, 'text') ?? '')
      .join('')
  );
}
