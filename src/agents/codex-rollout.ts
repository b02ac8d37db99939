/**
 * One line of a Codex rollout file (`~/.codex/sessions/Y/M/D/rollout-*.jsonl`) → what we want of it.
 * Seen in 0.169.0. real-agents.md §5.
 */
import { type JsonRecord, parseRecord, recordIn, recordsIn, stringIn } from './json-record.ts';

export type RolloutEvent =
  /** The first line: whose thread it is. */
  | {
      kind: 'thread';
      id: string;
      cwd: string;
      /** `cli`, `exec`, …; undefined for threads of Codex's own (sub-agents, reviews). */
      source: string | undefined;
      forkedFrom: string | undefined;
    }
  /** What the model was told before the first prompt; our briefing is one of the texts. */
  | { kind: 'instructions'; texts: readonly string[] }
  /** One whole message of the model. */
  | { kind: 'speech'; id: string; text: string }
  /** A prompt as the person, or we, submitted it. */
  | { kind: 'prompt'; text: string }
  /** A turn ended; `last` is the model's last message in it, as Codex remembers it. */
  | { kind: 'turn-end'; last: string | undefined }
  | { kind: 'other' }
  /** It might be speech: a kind of record that we have never seen. */
  | { kind: 'strange'; reason: string }
  /** Not the shape we know: this version writes something else. */
  | { kind: 'unknown'; reason: string };

/** Kinds of records that hold nothing for us. */
const OTHERS = new Set(['turn_context', 'world_state', 'token_usage_record', 'compacted']);

const texts = (message: JsonRecord): string[] =>
  recordsIn(message, 'content').flatMap((part) => stringIn(part, 'text') ?? []);

/** Reads one line. Never throws. */
export function parseRolloutLine(line: string): RolloutEvent {
  const record = parseRecord(line);
  const type = record && stringIn(record, 'type');
  if (!record || type === undefined) return { kind: 'unknown', reason: 'a line without a type' };
  const payload = recordIn(record, 'payload');
  switch (type) {
    case 'session_meta':
      return thread(payload);
    case 'response_item':
      return item(payload);
    case 'event_msg':
      return event(payload);
    default:
      return OTHERS.has(type)
        ? { kind: 'other' }
        : { kind: 'strange', reason: 'a record of an unknown type' };
  }
}

function thread(meta: JsonRecord): RolloutEvent {
  const id = stringIn(meta, 'id');
  const cwd = stringIn(meta, 'cwd');
  if (id === undefined || cwd === undefined) return { kind: 'unknown', reason: 'a session_meta without id' };
  // A sub-agent's source is an object; older versions have no thread_source.
  const own = (stringIn(meta, 'thread_source') ?? 'user') === 'user';
  const source = own ? stringIn(meta, 'source') : undefined;
  return { kind: 'thread', id, cwd, source, forkedFrom: stringIn(meta, 'forked_from_id') };
}

function item(payload: JsonRecord): RolloutEvent {
  if (payload.type !== 'message') return { kind: 'other' };
  if (payload.role === 'developer') return { kind: 'instructions', texts: texts(payload) };
  if (payload.role !== 'assistant') return { kind: 'other' };
  const id = stringIn(payload, 'id');
  if (id === undefined || !Array.isArray(payload.content)) {
    return { kind: 'unknown', reason: 'an assistant message without id or content' };
  }
  return { kind: 'speech', id, text: texts(payload).join('') };
}

function event(payload: JsonRecord): RolloutEvent {
  if (payload.type === 'task_complete')
    return { kind: 'turn-end', last: stringIn(payload, 'last_agent_message') };
  const completed = recordIn(payload, 'item');
  if (payload.type !== 'item_completed' || completed.type !== 'UserMessage') return { kind: 'other' };
  return { kind: 'prompt', text: texts(completed).join('\n') };
}
