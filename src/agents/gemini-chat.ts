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
  | { kind: 'other' };

const OTHER: ChatLine = { kind: 'other' };

export function parseChatLine(line: string): ChatLine {
  const record = parseRecord(line);
  if (!record) return OTHER;
  const id = stringIn(record, 'id');
  const session = stringIn(record, 'sessionId');
  if (id === undefined) {
    return session === undefined ? OTHER : { kind: 'session', id: session, main: record.kind !== 'subagent' };
  }
  const at = Date.parse(stringIn(record, 'timestamp') ?? '');
  if (record.type === 'gemini') {
    // Anything but a string is no text of the model.
    const text = stringIn(record, 'content');
    return text === undefined || text === '' ? OTHER : { kind: 'speech', id, at, text };
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
