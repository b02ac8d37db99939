/** diagram.mmd: the conversation as a Mermaid sequence diagram. */
import { SYSTEM_NAME } from '../protocol/address.ts';

/** What is drawn of a message: one of a run, or one of the relay's log. */
export interface DrawnMessage {
  from: string;
  topic?: string | undefined;
  kind?: string | undefined;
  body: string;
  recipients: readonly { name: string; fate?: string | undefined }[];
}

/** Characters of a body on an arrow: a diagram is read at a glance. */
const MAX_LABEL = 80;
/** Messages drawn: beyond it no renderer copes. The rest is counted in a note. */
const MAX_ARROWS = 500;

export function renderDiagram(agents: readonly string[], messages: readonly DrawnMessage[]): string {
  const drawn = messages.slice(0, MAX_ARROWS);
  const names = [
    ...new Set([
      ...agents,
      ...drawn.flatMap(({ from, recipients }) => [from, ...recipients.map(({ name }) => name)]),
    ]),
  ];
  const idOf = (name: string) => `p${names.indexOf(name)}`;
  const lines = [
    'sequenceDiagram',
    ...names.map((name) => `  participant ${idOf(name)} as ${escapeMermaid(name)}`),
  ];
  for (const message of drawn) {
    const label = labelOf(message);
    if (message.recipients.length === 0) lines.push(`  Note over ${idOf(message.from)}: ${label}`);
    for (const reception of message.recipients) {
      lines.push(`  ${idOf(message.from)}${arrow(message, reception)}${idOf(reception.name)}: ${label}`);
    }
  }
  const left = messages.length - drawn.length;
  if (left > 0) lines.push(`  Note over p0: and ${left} more messages`);
  return `${lines.join('\n')}\n`;
}

/** Solid: it arrived. A cross: it never will. An open arrow: it still waits. Dotted: the relay's own notices. */
function arrow({ from }: DrawnMessage, { fate }: DrawnMessage['recipients'][number]): string {
  const line = from === SYSTEM_NAME ? '--' : '-';
  if (fate === 'dead') return `${line}x`;
  return fate === 'delivered' || fate === 'written' ? `${line}>>` : `${line})`;
}

function labelOf({ topic, kind, body }: DrawnMessage): string {
  const about = [
    kind === undefined || kind === 'message' ? '' : `${kind} `,
    topic === undefined ? '' : `[${topic}] `,
  ].join('');
  const characters = [...about, ...body];
  const cut = characters.length > MAX_LABEL ? [...characters.slice(0, MAX_LABEL - 1), '…'] : characters;
  return escapeMermaid(cut.join(''));
}

/**
 * Text that Mermaid shows as it is. Letters, digits and plain punctuation stay; all else has a meaning somewhere
 * in its grammar or its Markdown, and becomes `#<code point>;`. So does the first letter of `end`, which would close a block.
 */
export function escapeMermaid(text: string): string {
  const escaped = text
    .replace(/\s+/g, ' ')
    .trim()
    .replace(/[\p{C}]/gu, '')
    .replace(/[^\p{L}\p{N} .,?!]/gu, (character) => `#${character.codePointAt(0)};`)
    .replace(/\bend\b/gi, (word) => `#${word.charCodeAt(0)};${word.slice(1)}`);
  return escaped === '' ? '#8203;' : escaped; // Nothing to show is a syntax error too: a zero-width space.
}
