/** One event of opencode's server → what we want of it. Seen in 1.18.33. real-agents.md §5. */
import { type JsonRecord, parseRecord, recordIn, recordsIn, stringIn } from './json-record.ts';

/** What the person chose for a prompt: the next one of ours is to get the same. */
export interface Choice {
  agent: string | undefined;
  model: { providerID: string; modelID: string } | undefined;
  variant: string | undefined;
}

export interface SessionInfo {
  id: string;
  /** Set for a sub-agent's session. */
  parent: string | undefined;
  title: string;
}

export type OpencodeEvent =
  | { kind: 'connected' }
  | { kind: 'session'; session: SessionInfo }
  | {
      kind: 'message';
      session: string;
      id: string;
      role: 'user' | 'assistant';
      /** Milliseconds since the epoch. */
      created: number;
      completed: boolean;
      /** A summary of the conversation, made to save tokens: it quotes, it does not speak. */
      summary: boolean;
      choice: Choice;
    }
  | {
      kind: 'text';
      session: string;
      message: string;
      part: string;
      text: string;
      ended: boolean;
      /** Added by opencode, not written by the person or the model. */
      synthetic: boolean;
    }
  | { kind: 'delta'; session: string; message: string; part: string; text: string }
  | { kind: 'status'; session: string; busy: boolean }
  | { kind: 'asked'; session: string; request: string }
  | { kind: 'answered'; request: string }
  /** It might be speech, and is not as we know it. */
  | { kind: 'strange'; reason: string };

/** What a message is made of besides text. */
const PARTS = new Set<unknown>([
  ...['reasoning', 'tool', 'file', 'step-start', 'step-finish', 'snapshot', 'patch', 'agent', 'retry'],
  ...['compaction', 'subtask'],
]);

const strange = (reason: string): OpencodeEvent => ({ kind: 'strange', reason });

/**
 * The place of a message or part among all of its server: ids rise with the time, whichever process made them.
 * NaN, which is neither before nor after any other, if the id is not of the shape we know.
 */
export const orderOf = (id: string): number =>
  Number.parseInt(/^[a-z]+_([0-9a-f]{12})/.exec(id)?.[1] ?? '', 16);

/** The event in the data of one server-sent event; undefined for those we have no use for. */
export function parseOpencodeEvent(data: string): OpencodeEvent | undefined {
  const record = parseRecord(data);
  if (!record) return undefined;
  const type = stringIn(record, 'type') ?? '';
  const properties = recordIn(record, 'properties');
  const session = stringIn(properties, 'sessionID') ?? '';
  switch (type) {
    case 'server.connected':
      return { kind: 'connected' };
    case 'session.created':
    case 'session.updated':
      return parseSession(recordIn(properties, 'info'));
    case 'message.updated':
      return parseMessage(recordIn(properties, 'info'));
    case 'message.part.updated':
      return parsePart(recordIn(properties, 'part'));
    case 'message.part.delta':
      return parseDelta(properties, session);
    case 'session.status':
      return { kind: 'status', session, busy: stringIn(recordIn(properties, 'status'), 'type') !== 'idle' };
    case 'session.idle':
      return { kind: 'status', session, busy: false };
    case 'permission.asked':
    case 'question.asked':
      return { kind: 'asked', session, request: stringIn(properties, 'id') ?? '' };
    case 'permission.replied':
    case 'question.replied':
    case 'question.rejected':
      return { kind: 'answered', request: stringIn(properties, 'requestID') ?? '' };
    default:
      return type === '' || (type.startsWith('message.') && !type.endsWith('.removed'))
        ? strange('an event of an unknown type')
        : undefined;
  }
}

/** What `GET /session/ID` answers. */
export function parseSession(info: JsonRecord): OpencodeEvent | undefined {
  const id = stringIn(info, 'id');
  if (id === undefined) return undefined;
  const session = { id, parent: stringIn(info, 'parentID'), title: stringIn(info, 'title') ?? '' };
  return { kind: 'session', session };
}

/** One element of what `GET /session/ID/message` answers: a message and its parts, as events. */
export function parseStored(stored: JsonRecord): OpencodeEvent[] {
  const events = [parseMessage(recordIn(stored, 'info')), ...recordsIn(stored, 'parts').map(parsePart)];
  return events.filter((event) => event !== undefined);
}

function parseMessage(info: JsonRecord): OpencodeEvent | undefined {
  const id = stringIn(info, 'id');
  const session = stringIn(info, 'sessionID');
  const role = stringIn(info, 'role');
  if (id === undefined || session === undefined || (role !== 'user' && role !== 'assistant'))
    return strange('a message without id, session or role');
  const time = recordIn(info, 'time');
  return {
    kind: 'message',
    session,
    id,
    role,
    created: typeof time.created === 'number' ? time.created : 0,
    completed: time.completed !== undefined,
    summary: info.summary === true || stringIn(info, 'mode') === 'compaction',
    choice: parseChoice(info),
  };
}

function parseChoice(info: JsonRecord): Choice {
  const model = recordIn(info, 'model');
  const providerID = stringIn(model, 'providerID');
  const modelID = stringIn(model, 'modelID');
  return {
    agent: stringIn(info, 'agent'),
    model: providerID === undefined || modelID === undefined ? undefined : { providerID, modelID },
    variant: stringIn(model, 'variant'),
  };
}

function parsePart(part: JsonRecord): OpencodeEvent | undefined {
  const id = stringIn(part, 'id');
  const message = stringIn(part, 'messageID');
  const session = stringIn(part, 'sessionID');
  const text = stringIn(part, 'text');
  if (PARTS.has(part.type)) return undefined;
  if (part.type !== 'text' || text === undefined) return strange('a part of a message without text');
  if (id === undefined || message === undefined || session === undefined)
    return strange('a text without id, message or session');
  const ended = recordIn(part, 'time').end !== undefined;
  const synthetic = part.synthetic === true || part.ignored === true;
  return { kind: 'text', session, message, part: id, text, ended, synthetic };
}

function parseDelta(properties: JsonRecord, session: string): OpencodeEvent | undefined {
  const message = stringIn(properties, 'messageID');
  const part = stringIn(properties, 'partID');
  const text = stringIn(properties, 'delta');
  if (message === undefined || part === undefined || text === undefined) return undefined;
  return stringIn(properties, 'field') === 'text'
    ? { kind: 'delta', session, message, part, text }
    : undefined;
}
