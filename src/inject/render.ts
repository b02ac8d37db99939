/**
 * A delivery as the text an agent reads: a header that we write and no body can forge, the body, and how
 * to answer. Control bytes never pass. lessons.md "Failures to design out" 9, 10; real-agents.md §4.
 */
import { sanitize } from '../base/sanitize.ts';
import { DEFAULT_TOPIC, SYSTEM_NAME } from '../protocol/address.ts';
import type { DeliverEnvelope } from '../protocol/envelope.ts';

/** What opens every header. Agents are taught it; bodies cannot begin a line with it. */
export const HEADER_START = 'Relay message from';

/** A line of a body that could be taken for a header or an end of ours. */
const FORGED = /^(?=\s*(?:Relay message from|\[end of relay message))/gim;

/** A line of a body that would be a directive, or open a fence, when the agent's terminal echoes it. */
const DIRECTIVE = /^(?=>>|\[\[\/?RELAY\]\]|\s{0,3}(?:```|~~~))/gim;

/** Characters of a name, kind, topic or thread in a header: as many as the protocol allows a topic. */
const MAX_WORD_LENGTH = 128;

/** Name of the message in headers and confirmations: enough of its id to be told from its neighbours. */
export const shortId = (envelope: DeliverEnvelope): string => envelope.id.replace(/-/g, '').slice(0, 12);

/**
 * The whole text to type for one delivery. Ends in a token that no input box completes or expands.
 * `echoed`: the agent's speech is read from its screen, where what we type appears as well.
 */
export function render(envelope: DeliverEnvelope, options: { echoed: boolean }): string {
  const { payload, delivery, topic } = envelope;
  const from = envelope.from ?? SYSTEM_NAME;
  const { kind } = payload;
  const notes = [
    ...(kind === undefined || kind === 'message' ? [] : [word(kind)]),
    ...(delivery.originalTo === '*' ? ['to all'] : []),
    ...(topic === undefined || topic === DEFAULT_TOPIC ? [] : [`topic ${word(topic)}`]),
    ...(payload.thread === undefined ? [] : [`thread ${word(payload.thread)}`]),
    ...(delivery.redelivered === true ? ['may be a repeat'] : []),
  ];
  const note = notes.length === 0 ? '' : ` (${notes.join(', ')})`;
  const own =
    sanitize(payload.body ?? '') + (payload.data === undefined ? '' : `\ndata: ${json(payload.data)}`);
  const body = own.replace(FORGED, ' ').replace(options.echoed ? DIRECTIVE : /$^/g, '    ');
  const hint =
    from === SYSTEM_NAME ? 'no answer is expected' : `to answer, begin a line with >>relay:${word(from)}`;
  const id = shortId(envelope);
  return `${HEADER_START} ${word(from)} [${id}]${note}: ${body}\n[end of relay message ${id}; ${hint}]`;
}

function json(data: unknown): string {
  try {
    return sanitize(JSON.stringify(data));
  } catch {
    // Nested deeper than the stack: it came through, because payloads are forwarded unparsed.
    return '(nested too deep to be shown)';
  }
}

/** A name or topic as one word: it stands in the header, so nothing in it may look like the header's end. */
const word = (text: string): string =>
  // Cut first: half of a character is made good with the rest.
  sanitize(text.slice(0, MAX_WORD_LENGTH)).replace(/[\s()[\]:,]+/g, '_');
