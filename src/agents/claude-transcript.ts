/**
 * One line of a Claude Code transcript (`~/.claude/projects/<folder>/<session>.jsonl`) → what we want of it.
 * Seen in 2.1.329. real-agents.md §5.
 */
import { type JsonRecord, parseRecord, recordIn, recordsIn, stringIn } from './json-record.ts';

export type TranscriptEvent =
  /** Text the model wrote in the main thread: one block of a message. */
  | { kind: 'speech'; id: string; message: string; text: string }
  /** A prompt that the person, or we, submitted. */
  | { kind: 'prompt'; text: string }
  | { kind: 'other' }
  /** Not the shape we know: this version writes something else. */
  | { kind: 'unknown'; reason: string };

const OTHER: TranscriptEvent = { kind: 'other' };

/** Reads one line. Never throws. */
export function parseTranscriptLine(line: string): TranscriptEvent {
  const record = parseRecord(line);
  const type = record && stringIn(record, 'type');
  if (!record || type === undefined) return { kind: 'unknown', reason: 'a line without a type' };
  // Sub-agents write side chains, older versions into the same file.
  if (record.isSidechain === true || record.isMeta === true) return OTHER;
  if (type === 'attachment') return queued(recordIn(record, 'attachment'));
  const message = recordIn(record, 'message');
  if (type === 'assistant') return speech(record, message);
  return type === 'user' ? prompt(message) : OTHER;
}

function speech(record: JsonRecord, message: JsonRecord): TranscriptEvent {
  const id = stringIn(record, 'uuid');
  if (id === undefined || !Array.isArray(message.content)) {
    return { kind: 'unknown', reason: 'an assistant record without uuid or content' };
  }
  // What Claude Code itself says in the model's name ("API Error: …").
  if (record.isApiErrorMessage === true || message.model === '<synthetic>') return OTHER;
  const text = textOf(message);
  // Each block has a record; those of one message share its id.
  return text === '' ? OTHER : { kind: 'speech', id, message: stringIn(message, 'id') ?? id, text };
}

function prompt(message: JsonRecord): TranscriptEvent {
  const text = typeof message.content === 'string' ? message.content : textOf(message);
  return text === '' || /^<(command|local-command)-/.test(text) ? OTHER : { kind: 'prompt', text };
}

/** A prompt that waited in its queue and was taken in the middle of a turn. */
function queued(attachment: JsonRecord): TranscriptEvent {
  const text = attachment.type === 'queued_command' ? stringIn(attachment, 'prompt') : undefined;
  return text === undefined ? OTHER : { kind: 'prompt', text };
}

/** Text blocks only: no thinking, no tools. */
const textOf = (message: JsonRecord): string =>
  recordsIn(message, 'content')
    .filter((block) => block.type === 'text')
    .map((block) => stringIn(block, 'text') ?? '')
    .join('');
